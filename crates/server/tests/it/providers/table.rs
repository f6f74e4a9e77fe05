//! What is known of each provider beside its description: how its stand-in plays it, what an
//! account looks like, how long tokens live, what a refresh does.

/// One provider at its stand-in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The name of the operator's file and of the integration.
    pub(super) name: &'static str,
    /// The description.
    pub(super) provider: &'static str,
    /// The stand-in, by the first part of its paths.
    pub(super) stand_in: &'static str,
    /// What the operator gives; `{base}` is where all stand-ins are.
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// What the operator asks for; nothing: what the description says.
    pub(super) scopes: &'static [&'static str],
    /// Ada's id.
    pub(super) sub: &'static str,
    /// Her address, if the provider tells it.
    pub(super) email: Option<&'static str>,
    /// What is granted, by its canonical names.
    pub(super) scope: &'static str,
    /// How long a first token lives, in seconds; nothing: it never ends.
    pub(super) life: Option<u32>,
    /// How long a token of a refresh lives.
    pub(super) renewed: Option<u32>,
    pub(super) refresh: Refresh,
    /// Whether an access token ends when the one after it comes.
    pub(super) ends_before: bool,
    /// A call of the API: method, host and path (`{token}` is the access token), and a JSON body.
    pub(super) api: &'static str,
    /// What is in its answer if the token is Ada's.
    pub(super) shows: &'static str,
    /// Whether the provider can be told that a grant is over.
    pub(super) revokes: bool,
    /// Whether both people have one account, as the provider sees it.
    pub(super) shared: bool,
}

/// What a refresh does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    /// There is none.
    Never,
    /// With the same refresh token each time.
    Stays,
    /// With another one each time.
    Rotates,
    /// Access tokens are exchanged for others.
    Exchanges,
}

/// An hour, a refresh token that stays, a revocation endpoint.
const PLAIN: Row = Row {
    name: "",
    provider: "",
    stand_in: "",
    variables: &[],
    scopes: &[],
    sub: "1815",
    email: Some("ada@example.com"),
    scope: "",
    life: Some(3600),
    renewed: Some(3600),
    refresh: Refresh::Stays,
    ends_before: false,
    api: "",
    shows: "ada@example.com",
    revokes: true,
    shared: false,
};

const ADA: &str = "5b1f0c1e-0000-4000-8000-000000001815";

/// Every description has a row here.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "airtable",
        provider: "airtable",
        stand_in: "airtable",
        sub: "usr00000000000ada",
        scope: "user.email:read",
        refresh: Refresh::Rotates,
        ends_before: true,
        api: "GET api.airtable.com/v0/meta/whoami",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "asana",
        provider: "asana",
        stand_in: "asana",
        scope: "default",
        api: "GET app.asana.com/api/1.0/users/me",
        ..PLAIN
    },
    Row {
        name: "atlassian",
        provider: "atlassian",
        stand_in: "atlassian",
        sub: "712020:1815",
        scope: "read:me offline_access",
        refresh: Refresh::Rotates,
        api: "GET api.atlassian.com/me",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "box",
        provider: "box",
        stand_in: "box",
        refresh: Refresh::Rotates,
        api: "GET api.box.com/2.0/users/me",
        ..PLAIN
    },
    Row {
        name: "discord",
        provider: "discord",
        stand_in: "discord",
        sub: "803511102246781815",
        scope: "identify email",
        life: Some(604_800),
        renewed: Some(604_800),
        refresh: Refresh::Rotates,
        api: "GET discord.com/api/v10/users/@me",
        ..PLAIN
    },
    Row {
        name: "dropbox",
        provider: "dropbox",
        stand_in: "dropbox",
        sub: "dbid:000000000000000000000000000000000ada",
        scope: "account_info.read",
        life: Some(14_400),
        renewed: Some(14_400),
        api: "POST api.dropboxapi.com/2/users/get_current_account",
        ..PLAIN
    },
    Row {
        name: "facebook",
        provider: "facebook",
        stand_in: "facebook",
        sub: "102201815",
        scope: "public_profile email",
        life: Some(5_400),
        renewed: Some(5_183_944),
        refresh: Refresh::Exchanges,
        api: "GET graph.facebook.com/v25.0/me?fields=email",
        ..PLAIN
    },
    Row {
        name: "github",
        provider: "github",
        stand_in: "github",
        email: None,
        scope: "read:user user:email",
        life: None,
        refresh: Refresh::Never,
        api: "GET api.github.com/user/emails",
        ..PLAIN
    },
    Row {
        name: "github_app",
        provider: "github_app",
        stand_in: "github-app",
        email: None,
        life: Some(28_800),
        renewed: Some(28_800),
        refresh: Refresh::Rotates,
        ends_before: true,
        api: "GET api.github.com/user",
        shows: "Ada Lovelace",
        ..PLAIN
    },
    Row {
        name: "gitlab",
        provider: "gitlab",
        stand_in: "gitlab",
        scope: "read_user",
        life: Some(7_200),
        renewed: Some(7_200),
        refresh: Refresh::Rotates,
        ends_before: true,
        api: "GET gitlab.com/api/v4/user",
        ..PLAIN
    },
    Row {
        name: "gitlab-own",
        provider: "gitlab",
        stand_in: "gitlab",
        variables: &[("host", "gitlab.example.com")],
        scopes: &["api"],
        scope: "api",
        life: Some(7_200),
        renewed: Some(7_200),
        refresh: Refresh::Rotates,
        ends_before: true,
        api: "GET gitlab.example.com/api/v4/user",
        ..PLAIN
    },
    Row {
        name: "google",
        provider: "google",
        stand_in: "google",
        sub: "101815121018526101815",
        scope: "openid https://www.googleapis.com/auth/userinfo.email \
                https://www.googleapis.com/auth/userinfo.profile",
        life: Some(3_599),
        renewed: Some(3_599),
        api: "GET openidconnect.googleapis.com/v1/userinfo",
        ..PLAIN
    },
    Row {
        name: "hubspot",
        provider: "hubspot",
        stand_in: "hubspot",
        sub: "62515:1815",
        scope: "oauth",
        life: Some(1_800),
        renewed: Some(1_800),
        api: "GET api.hubapi.com/oauth/v1/access-tokens/{token}",
        ..PLAIN
    },
    Row {
        name: "linear",
        provider: "linear",
        stand_in: "linear",
        sub: ADA,
        scope: "read",
        life: Some(86_399),
        renewed: Some(86_399),
        refresh: Refresh::Rotates,
        api: "POST api.linear.app/graphql {\"query\":\"{ viewer { email } }\"}",
        ..PLAIN
    },
    Row {
        name: "linkedin",
        provider: "linkedin",
        stand_in: "linkedin",
        sub: ADA,
        scope: "openid profile email",
        life: Some(5_184_000),
        renewed: Some(5_184_000),
        api: "GET api.linkedin.com/v2/userinfo",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "microsoft",
        provider: "microsoft",
        stand_in: "microsoft",
        sub: "7b29111d-0000-4000-8000-00000000000a:5b1f0c1e-0000-4000-8000-000000001815",
        scope: "openid email profile User.Read",
        life: Some(3_599),
        renewed: Some(3_599),
        refresh: Refresh::Rotates,
        api: "GET graph.microsoft.com/v1.0/me",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "microsoft-tenant",
        provider: "microsoft",
        stand_in: "microsoft",
        variables: &[("tenant", "7b29111d-0000-4000-8000-00000000000b")],
        scopes: &["openid", "offline_access", "https://graph.microsoft.com/User.Read"],
        sub: "7b29111d-0000-4000-8000-00000000000b:5b1f0c1e-0000-4000-8000-000000001815",
        scope: "openid profile User.Read",
        life: Some(3_599),
        renewed: Some(3_599),
        refresh: Refresh::Rotates,
        api: "GET graph.microsoft.com/v1.0/me",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "notion",
        provider: "notion",
        stand_in: "notion",
        sub: "9b1f0c1e-0000-4000-8000-000000000001:5b1f0c1e-0000-4000-8000-000000001815",
        life: None,
        renewed: None,
        refresh: Refresh::Rotates,
        api: "GET api.notion.com/v1/users/me",
        ..PLAIN
    },
    Row {
        name: "quickbooks",
        provider: "quickbooks",
        stand_in: "quickbooks",
        sub: "4620816365000000001",
        email: None,
        scope: "com.intuit.quickbooks.accounting",
        refresh: Refresh::Rotates,
        api: "GET quickbooks.api.intuit.com/v3/company/4620816365000000001/companyinfo/\
              4620816365000000001",
        shows: "Stand-in",
        shared: true,
        ..PLAIN
    },
    Row {
        name: "salesforce",
        provider: "salesforce",
        stand_in: "salesforce",
        sub: "00D000000000001AAA:005000000001815AAA",
        scope: "openid api refresh_token",
        api: "GET login.salesforce.com/services/oauth2/userinfo",
        ..PLAIN
    },
    Row {
        name: "salesforce-own",
        provider: "salesforce",
        stand_in: "salesforce",
        variables: &[("login", "acme.my.salesforce.com")],
        scopes: &["openid", "api", "offline_access"],
        sub: "00D000000000001AAA:005000000001815AAA",
        scope: "openid api refresh_token",
        api: "GET acme.my.salesforce.com/services/oauth2/userinfo",
        ..PLAIN
    },
    Row {
        name: "slack",
        provider: "slack",
        stand_in: "slack",
        scopes: &["chat:write", "users:read"],
        sub: "T0STANDIN:U0BOT",
        email: None,
        scope: "chat:write users:read",
        life: Some(43_200),
        renewed: Some(43_200),
        refresh: Refresh::Rotates,
        api: "POST slack.com/api/auth.test",
        shows: "U0BOT",
        shared: true,
        ..PLAIN
    },
    Row {
        name: "slack-classic",
        provider: "slack",
        stand_in: "slack-classic",
        scopes: &["chat:write"],
        sub: "T0STANDIN:U0BOT",
        email: None,
        scope: "chat:write",
        life: None,
        refresh: Refresh::Never,
        api: "GET slack.com/api/auth.test",
        shows: "U0BOT",
        shared: true,
        ..PLAIN
    },
    Row {
        name: "slack_user",
        provider: "slack_user",
        stand_in: "slack",
        scopes: &["search:read", "users:read"],
        sub: "T0STANDIN:U0ADA",
        email: None,
        scope: "search:read users:read",
        life: Some(43_200),
        renewed: Some(43_200),
        refresh: Refresh::Rotates,
        api: "GET slack.com/api/auth.test",
        shows: "U0ADA",
        ..PLAIN
    },
    Row {
        name: "spotify",
        provider: "spotify",
        stand_in: "spotify",
        sub: "ada",
        scope: "user-read-email user-read-private",
        api: "GET api.spotify.com/v1/me",
        revokes: false,
        ..PLAIN
    },
    Row {
        name: "x",
        provider: "x",
        stand_in: "x",
        email: None,
        scope: "tweet.read users.read offline.access",
        life: Some(7_200),
        renewed: Some(7_200),
        refresh: Refresh::Rotates,
        api: "GET api.x.com/2/users/me",
        shows: "Ada Lovelace",
        ..PLAIN
    },
    Row {
        name: "xero",
        provider: "xero",
        stand_in: "xero",
        sub: ADA,
        scope: "openid profile email offline_access",
        life: Some(1_800),
        renewed: Some(1_800),
        refresh: Refresh::Rotates,
        api: "GET identity.xero.com/connect/userinfo",
        ..PLAIN
    },
    Row {
        name: "zendesk",
        provider: "zendesk",
        stand_in: "zendesk",
        variables: &[("subdomain", "acme")],
        scope: "read",
        life: Some(172_800),
        renewed: Some(172_800),
        refresh: Refresh::Rotates,
        ends_before: true,
        api: "GET acme.zendesk.com/api/v2/users/me.json",
        ..PLAIN
    },
    Row {
        name: "zoho",
        provider: "zoho",
        stand_in: "zoho",
        scope: "AaaServer.profile.READ",
        api: "GET accounts.zoho.com/oauth/user/info",
        ..PLAIN
    },
    Row {
        name: "zoom",
        provider: "zoom",
        stand_in: "zoom",
        sub: ADA,
        scope: "user:read:user meeting:read:meeting",
        life: Some(3_599),
        renewed: Some(3_599),
        refresh: Refresh::Rotates,
        api: "GET api.zoom.us/v2/users/me",
        ..PLAIN
    },
    Row {
        name: "oidc",
        provider: "oidc",
        stand_in: "xero",
        variables: &[("issuer", "{base}/xero/identity.xero.com")],
        sub: ADA,
        scope: "openid email profile offline_access",
        life: Some(1_800),
        renewed: Some(1_800),
        refresh: Refresh::Rotates,
        api: "GET identity.xero.com/connect/userinfo",
        ..PLAIN
    },
    Row {
        name: "oauth2",
        provider: "oauth2",
        stand_in: "plain",
        variables: &[
            ("authorize_url", "{base}/plain/authorize"),
            ("token_url", "{base}/plain/token"),
        ],
        scopes: &["read", "write"],
        sub: "",
        email: None,
        scope: "read write",
        api: "GET userinfo",
        revokes: false,
        ..PLAIN
    },
];
