//! A Grantor to measure: a data folder, a client and a person, made with its own command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use tempfile::TempDir;

use crate::place::{Kind, Place};
use crate::request::Site;
use crate::target::{Target, free_port};

/// Where the client has codes sent; nothing listens there.
pub(crate) const CALLBACK: &str = "http://localhost:5051/callback";

/// Everything that is measured with.
pub(crate) const SCOPES: &str = "openid profile email read";

/// The person's name.
pub(crate) const USERNAME: &str = "bench";

/// The secret behind every challenge: RFC 7636 §4.1.
pub(crate) const VERIFIER: &str = "a-benchmark-keeps-no-secrets-from-anybody-at-all";

/// How a production server is configured, but for limits that would stop the load.
const SETTINGS: [(&str, &str); 4] = [
    ("GRANTOR__LIFETIMES__CODE", "10m"),
    ("GRANTOR__LIMITS__INTERACTIVE_CLIENT", "0"),
    ("GRANTOR__LIMITS__PAGES", "0"),
    ("GRANTOR__LIMITS__SIGN_IN", "0"),
];

/// The integration of the vault, and our client id there. No provider is asked: no token expires.
pub(crate) const INTEGRATION: &str = "google";
pub(crate) const PROVIDER_CLIENT: &str = "bench.example";

/// A prepared data folder.
pub(crate) struct Deployment {
    /// Where its server will be.
    pub(crate) site: Site,
    /// Where it keeps things.
    pub(crate) place: Place,
    binary: PathBuf,
    folder: TempDir,
    port: u16,
    vault: bool,
    client: Credentials,
    person: Account,
}

/// How a client authenticates.
#[derive(Default, Deserialize)]
pub(crate) struct Credentials {
    /// What it calls itself.
    pub(crate) client_id: String,
    client_secret: String,
}

/// Clients that act for themselves.
pub(crate) struct Machines {
    /// Gets opaque tokens.
    pub(crate) opaque: Credentials,
    /// Gets JWTs under EdDSA.
    pub(crate) eddsa: Credentials,
    /// Gets JWTs under ES256.
    pub(crate) es256: Credentials,
    /// The resource server that is sent the tokens.
    pub(crate) api: Credentials,
}

#[derive(Deserialize)]
struct ApiKey {
    key: String,
}

#[derive(Default, Deserialize)]
struct Account {
    password: String,
}

impl Deployment {
    /// Makes a folder beside this program (`/tmp` may be memory, where a durable commit costs
    /// nothing) and puts a confidential client and a person into it.
    pub(crate) fn prepare(binary: PathBuf) -> Result<Self> {
        Self::prepare_on(Kind::Sqlite, binary)
    }

    /// The same with a store of this kind.
    pub(crate) fn prepare_on(kind: Kind, binary: PathBuf) -> Result<Self> {
        let beside = binary.parent().context("the server's program is nowhere")?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?;
        let place = Place::start(kind, beside)?;
        let port = free_port()?;
        let (client, person) = (Credentials::default(), Account::default());
        let vault = false;
        let site = Site::on(port);
        let mut own = Self { site, place, binary, folder, port, vault, client, person };
        let added = own.cli(&[
            "client",
            "add",
            "bench",
            "--redirect-uri",
            CALLBACK,
            "--scope",
            SCOPES,
            "--refresh",
            "rotate",
            "--json",
        ])?;
        own.client = serde_json::from_str(&added).context("`client add --json` said otherwise")?;
        let added = own.cli(&[
            "user",
            "add",
            "--username",
            USERNAME,
            "--email",
            "bench@example.com",
            "--name",
            "Benchmark",
            "--generate-password",
            "--json",
        ])?;
        own.person = serde_json::from_str(&added).context("`user add --json` said otherwise")?;
        Ok(own)
    }

    /// Registers the clients that act for themselves; before the server is started, which would
    /// have to hear of them.
    pub(crate) fn machines(&self) -> Result<Machines> {
        let jwt = |alg| ["--access-token-format", "jwt", "--access-token-alg", alg];
        Ok(Machines {
            opaque: self.machine("opaque", &[])?,
            eddsa: self.machine("eddsa", &jwt("EdDSA"))?,
            es256: self.machine("es256", &jwt("ES256"))?,
            api: self.machine("api", &["--resource-server-for", &self.issuer()])?,
        })
    }

    /// An API key for the tokens of the vault, which is switched on.
    pub(crate) fn api_key(&mut self) -> Result<String> {
        self.vault = true;
        let service = ["apikey", "create", "--service", "bench", "--integration", INTEGRATION];
        let made = self.cli(&[&service[..], &["--json"]].concat())?;
        let made: ApiKey = serde_json::from_str(&made).context("`apikey create` said otherwise")?;
        Ok(made.key)
    }

    /// The file of the key that seals.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("key-encryption.key")
    }

    /// The file of its store.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("grantor.db")
    }

    /// Starts its server.
    pub(crate) fn serve(&self) -> Result<Target> {
        let log = std::fs::File::create(self.folder.path().join("server.log"))?;
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Target::spawn(command.into(), self.port)
    }

    /// Starts another node of the same server, on a port of its own, and waits until it answers.
    pub(crate) async fn another_node(&self) -> Result<Target> {
        let port = free_port()?;
        let mut command = self.command();
        command.env("GRANTOR__LISTEN__PORT", port.to_string()).arg("serve");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut node = Target::spawn(command.into(), port)?;
        node.first_answer(&self.site.get("/healthz", "")).await?;
        Ok(node)
    }

    /// Starts its server and waits until it answers.
    pub(crate) async fn serve_ready(&self) -> Result<Target> {
        let mut server = self.serve()?;
        let ready = server.first_answer(&self.site.get("/healthz", "")).await;
        ready.with_context(|| format!("its log:\n{}", self.log()))?;
        Ok(server)
    }

    /// The path of an authorization request for `scope`.
    pub(crate) fn authorize_path(&self, scope: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.client_id)
            .append_pair("redirect_uri", CALLBACK)
            .append_pair("scope", scope)
            .append_pair("state", "bench")
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("/authorize?{query}")
    }

    /// A token request of the client that signs people in.
    pub(crate) fn token_request(&self, form: &[(&str, &str)]) -> Vec<u8> {
        self.request(&self.client, "/token", form)
    }

    /// A request of `client`, authenticated by `client_secret_basic`: RFC 6749 §2.3.1.
    pub(crate) fn request(
        &self,
        client: &Credentials,
        path: &str,
        form: &[(&str, &str)],
    ) -> Vec<u8> {
        let Credentials { client_id, client_secret } = client;
        let basic = STANDARD.encode(format!("{client_id}:{client_secret}"));
        self.site.post(path, &format!("authorization: Basic {basic}\r\n"), form)
    }

    /// The person's password.
    pub(crate) fn password(&self) -> &str {
        &self.person.password
    }

    /// The path and query of a URL of this server.
    pub(crate) fn path_of<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&self.issuer()).unwrap_or(url)
    }

    fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn machine(&self, name: &str, options: &[&str]) -> Result<Credentials> {
        let fixed = ["--grant", "client_credentials", "--scope", "read"];
        let unlimited = ["--requests-per-minute", "0", "--json"];
        let added =
            self.cli(&[&["client", "add", name], &fixed[..], &unlimited, options].concat())?;
        serde_json::from_str(&added).context("`client add --json` said otherwise")
    }

    fn cli(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command().args(arguments).output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`grantor {}` failed: {told}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("GRANTOR_DATA", self.folder.path()).current_dir(self.folder.path());
        command.env("GRANTOR__LISTEN__PORT", self.port.to_string()).envs(SETTINGS);
        command.env("GRANTOR__ISSUER", self.issuer());
        if let Some(url) = self.place.url() {
            command.env("GRANTOR__STORE", url);
        }
        if self.vault {
            command.env("GRANTOR__INTEGRATIONS__GOOGLE__CLIENT_ID", PROVIDER_CLIENT);
            command.env("GRANTOR__INTEGRATIONS__GOOGLE__CLIENT_SECRET", "not used");
        }
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

/// The server's program: beside this one, built now if it is not there.
pub(crate) fn binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.with_file_name("grantor");
    if !beside.exists() {
        build(&beside)?;
    }
    Ok(beside)
}

fn build(wanted: &Path) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "-p", "grantor"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().context("cannot run cargo to build the server")?.success();
    ensure!(built && wanted.exists(), "{} was not built", wanted.display());
    Ok(())
}
