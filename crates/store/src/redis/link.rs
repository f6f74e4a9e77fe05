//! Connections to the servers, renewed by themselves, and commands with a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use grantor_core::store::StoreError;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, PushKind, TlsCertificates, TlsMode, Value,
};
use tokio::sync::{Mutex, RwLock};

use super::Options;
use super::address::Address;
use super::fault::Fault;

/// How many connections there are to a single server where answers wait for replicas: while one
/// waits, the commands behind it wait too.
const WAITING_CONNECTIONS: usize = 4;

/// After a connection could not be made, others are told so for this long without a try of their
/// own.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Before a command that was not done is sent again.
const BEFORE_ANOTHER_TRY: Duration = Duration::from_millis(50);

/// Of the time limit, the part in which a command that was not done is sent again.
const PATIENCE: u32 = 3;

/// The way to the servers.
pub(super) struct Link {
    nodes: Nodes,
    time_limit: Duration,
    wait_replicas: u32,
    wait_limit: Duration,
    /// Whether commands are sent; read-locked while one is under way.
    open: RwLock<bool>,
}

enum Nodes {
    /// One server at a time, several connections to it.
    One { source: Source, lines: Vec<Mutex<Line>>, next: AtomicUsize },
    /// A cluster, with a connection to each of its nodes.
    Cluster { connection: ClusterConnection, seeds: Vec<Client> },
}

/// How to connect to the server.
struct Source {
    place: Place,
    limit: Duration,
}

/// Who knows where the server is.
enum Place {
    Fixed(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
}

/// A connection, if there is one.
#[derive(Default)]
struct Line {
    connection: Option<MultiplexedConnection>,
    closed: Arc<AtomicBool>,
    /// Counts the connections, so that only the broken one is given up.
    number: u64,
    failed: Option<(Instant, String)>,
}

impl Link {
    /// Connects.
    pub(super) async fn open(address: Address, options: &Options) -> Result<Self, StoreError> {
        let limit = options.time_limit;
        let nodes = async { Nodes::open(address, options).await.map_err(Fault::told) };
        let nodes = tokio::time::timeout(limit, nodes).await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("Redis does not answer in time".to_owned()))
        })?;
        Ok(Self {
            nodes,
            time_limit: limit,
            wait_replicas: options.wait_replicas,
            wait_limit: options.wait_limit,
            open: RwLock::new(true),
        })
    }

    /// Waits until what is under way is answered, and sends no more.
    pub(super) async fn close(&self) {
        *self.open.write().await = false;
    }

    /// Sends a command to the server that has `key`, and for one that writes waits until enough
    /// replicas have what it did.
    pub(super) async fn send(&self, key: &str, command: Cmd, writes: bool) -> Result<Value, Fault> {
        let open = self.open.read().await;
        if !*open {
            return Err(Fault::Closed);
        }
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(command);
        let waits = writes && self.wait_replicas > 0;
        if waits {
            let limit = u64::try_from(self.wait_limit.as_millis()).unwrap_or(u64::MAX);
            pipeline.cmd("WAIT").arg(self.wait_replicas).arg(limit);
        }
        let mut answers = self.deliver(key, &pipeline).await?.into_iter();
        let answer = answers.next().unwrap_or(Value::Nil).extract_error()?;
        match answers.next().map(Value::extract_error).transpose()? {
            Some(Value::Int(by)) if by < i64::from(self.wait_replicas) => {
                let by = u64::try_from(by).unwrap_or(0);
                Err(Fault::NotConfirmed { by, of: self.wait_replicas })
            }
            _ => Ok(answer),
        }
    }

    /// Sends until it is done or refused, for as long as there is patience.
    async fn deliver(&self, key: &str, pipeline: &Pipeline) -> Result<Vec<Value>, Fault> {
        let patience = Instant::now() + self.time_limit / PATIENCE;
        loop {
            let sent = match &self.nodes {
                Nodes::One { source, lines, next } => {
                    let place = next.fetch_add(1, Ordering::Relaxed) % lines.len();
                    self.to_one(source, &lines[place], pipeline).await
                }
                Nodes::Cluster { connection, .. } => {
                    self.to_cluster(connection.clone(), key, pipeline).await
                }
            };
            let refused = sent.and_then(|answers| match answers.first() {
                Some(Value::ServerError(error)) => Err(Fault::Redis(error.clone().into())),
                _ => Ok(answers),
            });
            match refused {
                Err(fault) if fault.may_be_repeated() && Instant::now() < patience => {
                    tokio::time::sleep(BEFORE_ANOTHER_TRY).await;
                }
                other => return other,
            }
        }
    }

    async fn to_one(
        &self,
        source: &Source,
        line: &Mutex<Line>,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Fault> {
        let mut number = None;
        let sent = async {
            let (mut connection, own) = connected(source, line).await?;
            number = Some(own);
            let count = pipeline.len();
            Ok(connection.send_packed_commands(pipeline, 0, count).await?)
        };
        let sent = tokio::time::timeout(self.time_limit, sent).await.unwrap_or(Err(Fault::Late));
        let spoilt = match &sent {
            Ok(answers) => is_read_only(answers),
            Err(fault) => fault.spoils_connection(),
        };
        if spoilt && let Some(number) = number {
            let mut line = line.lock().await;
            if line.number == number {
                line.connection = None;
            }
        }
        sent
    }

    async fn to_cluster(
        &self,
        mut connection: ClusterConnection,
        key: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Fault> {
        let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master));
        let sent = connection.route_pipeline(pipeline.clone(), 0, pipeline.len(), route);
        let sent = tokio::time::timeout(self.time_limit, sent).await;
        Ok(sent.map_err(|_| Fault::Late)??)
    }

    /// A connection of its own for messages, to the server or any node of the cluster.
    pub(super) async fn subscriber(&self) -> Result<PubSub, Fault> {
        let connect = async {
            match &self.nodes {
                Nodes::One { source, .. } => Ok(source.client().await?.get_async_pubsub().await?),
                Nodes::Cluster { seeds, .. } => {
                    let mut last = Fault::Late;
                    for seed in seeds {
                        match seed.get_async_pubsub().await {
                            Ok(connection) => return Ok(connection),
                            Err(error) => last = error.into(),
                        }
                    }
                    Err(last)
                }
            }
        };
        tokio::time::timeout(self.time_limit, connect).await.unwrap_or(Err(Fault::Late))
    }
}

/// Whether the server does not write: it was a primary when the connection was made.
fn is_read_only(answers: &[Value]) -> bool {
    answers.iter().any(|answer| match answer {
        Value::ServerError(error) => Fault::Redis(error.clone().into()).spoils_connection(),
        _ => false,
    })
}

impl Nodes {
    async fn open(address: Address, options: &Options) -> Result<Self, Fault> {
        let place = match address {
            Address::Single(info) => Place::Fixed(Box::new(client(*info, options)?)),
            Address::Sentinel { sentinels, service, server, watcher } => {
                let sentinel = sentinel(sentinels, &service, [&server, &watcher], options)?;
                Place::Sentinel(Box::new(Mutex::new(sentinel)))
            }
            Address::Cluster(seeds) => return Self::cluster(seeds, options).await,
        };
        let source = Source { place, limit: options.connect_limit };
        let connections = if options.wait_replicas > 0 { WAITING_CONNECTIONS } else { 1 };
        let lines: Vec<_> = (0..connections).map(|_| Mutex::default()).collect();
        connected(&source, &lines[0]).await?;
        Ok(Self::One { source, lines, next: AtomicUsize::new(0) })
    }

    async fn cluster(seeds: Vec<ConnectionInfo>, options: &Options) -> Result<Self, Fault> {
        // A command is never sent again by the library, which would do so after a connection broke,
        // when nobody knows whether it was done: `deliver` sends again what was certainly not.
        let mut builder = ClusterClientBuilder::new(seeds.clone())
            .retries(0)
            .connection_timeout(options.connect_limit)
            .response_timeout(options.time_limit)
            .overall_response_timeout(None);
        if let Some(certificates) = certificates(options)? {
            builder = builder.certs(certificates);
        }
        let cluster: ClusterClient = builder.build()?;
        let connection = cluster.get_async_connection().await?;
        let seeds = seeds.into_iter().map(|seed| client(seed, options));
        Ok(Self::Cluster { connection, seeds: seeds.collect::<Result<_, _>>()? })
    }
}

impl Source {
    async fn client(&self) -> Result<Client, Fault> {
        match &self.place {
            Place::Fixed(client) => Ok((**client).clone()),
            Place::Sentinel(sentinel) => Ok(sentinel.lock().await.async_get_client().await?),
        }
    }
}

/// The connection of a line, made if there is none.
async fn connected(
    source: &Source,
    line: &Mutex<Line>,
) -> Result<(MultiplexedConnection, u64), Fault> {
    let mut line = line.lock().await;
    if let Some(connection) = &line.connection
        && !line.closed.load(Ordering::Relaxed)
    {
        return Ok((connection.clone(), line.number));
    }
    if let Some((at, why)) = &line.failed
        && at.elapsed() < AFTER_A_FAILURE
    {
        let error = std::io::Error::new(std::io::ErrorKind::NotConnected, why.clone());
        return Err(Fault::Redis(error.into()));
    }
    let closed = Arc::new(AtomicBool::new(false));
    match connect(source, &closed).await {
        Ok(made) => {
            let number = line.number + 1;
            *line = Line { connection: Some(made.clone()), closed, number, failed: None };
            Ok((made, number))
        }
        Err(fault) => {
            if let Fault::Redis(error) = &fault {
                line.failed = Some((Instant::now(), error.to_string()));
            }
            Err(fault)
        }
    }
}

/// Connects; `closed` is set when the server ends the connection, so that nobody finds that out by
/// a command. Only the newer protocol tells.
async fn connect(
    source: &Source,
    closed: &Arc<AtomicBool>,
) -> Result<MultiplexedConnection, Fault> {
    let info = source.client().await?.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let client = Client::open(info.set_redis_settings(settings))?;
    let closed = Arc::clone(closed);
    let notice = move |told: PushInfo| {
        if told.kind == PushKind::Disconnection {
            closed.store(true, Ordering::Relaxed);
        }
        Ok::<(), std::convert::Infallible>(())
    };
    // The caller has the time limit; answers that come late are for nobody.
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(Some(source.limit))
        .set_push_sender(notice);
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

fn certificates(options: &Options) -> Result<Option<TlsCertificates>, Fault> {
    let Some(path) = &options.authorities else {
        return Ok(None);
    };
    let unreadable = |error| {
        let path = path.display();
        Fault::Authorities(format!("the authorities in {path} cannot be read: {error}"))
    };
    let root_cert = Some(std::fs::read(path).map_err(unreadable)?);
    Ok(Some(TlsCertificates { client_tls: None, root_cert }))
}

fn client(info: ConnectionInfo, options: &Options) -> Result<Client, Fault> {
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. })
        && let Some(certificates) = certificates(options)?
    {
        return Ok(Client::build_with_tls(info, certificates)?);
    }
    Ok(Client::open(info)?)
}

fn sentinel(
    sentinels: Vec<ConnectionAddr>,
    service: &str,
    [server, watcher]: [&ConnectionInfo; 2],
    options: &Options,
) -> Result<SentinelClient, Fault> {
    let kind = SentinelServerType::Master;
    let mut builder = SentinelClientBuilder::new(sentinels, service, kind)?;
    let sign_in = server.redis_settings();
    builder = builder.set_client_to_redis_db(sign_in.db());
    if let Some(user) = sign_in.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = sign_in.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(user) = watcher.redis_settings().username() {
        builder = builder.set_client_to_sentinel_username(user);
    }
    if let Some(password) = watcher.redis_settings().password() {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure);
        if let Some(own) = certificates(options)? {
            builder = builder.set_client_to_redis_certificates(own);
        }
        if let Some(own) = certificates(options)? {
            builder = builder.set_client_to_sentinel_certificates(own);
        }
    }
    Ok(builder.build()?)
}
