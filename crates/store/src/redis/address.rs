//! Where the servers are: one, the one that Sentinel names, or a cluster.

use grantor_core::store::StoreError;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

/// Sentinel's port, where the address names none.
const SENTINEL_PORT: u16 = 26_379;

/// Where the servers are.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// One server.
    Single(Box<ConnectionInfo>),
    /// The primary of a service, as Sentinel knows it.
    Sentinel {
        /// Where to ask, in turn.
        sentinels: Vec<ConnectionAddr>,
        /// The name of the service: `sentinel monitor <name> …`.
        service: String,
        /// How to sign in at the primary, and whether over TLS. The address in it is not used.
        server: Box<ConnectionInfo>,
        /// The same for Sentinel itself.
        watcher: Box<ConnectionInfo>,
    },
    /// Nodes of a cluster, of which one has to answer to learn of the others.
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    /// Reads an address. The error never has the password in it.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("has no scheme"))?;
        match scheme {
            "redis" | "rediss" if hosts(rest).contains(',') => cluster(scheme, rest),
            "redis" | "rediss" | "unix" | "redis+unix" => Ok(Self::Single(Box::new(one(url)?))),
            "redis+cluster" => cluster("redis", rest),
            "rediss+cluster" => cluster("rediss", rest),
            "redis+sentinel" => sentinel("redis", rest),
            "rediss+sentinel" => sentinel("rediss", rest),
            _ => Err(refused(
                "has a scheme that is none of redis, rediss, unix, redis+cluster, rediss+cluster, \
                 redis+sentinel, rediss+sentinel",
            )),
        }
    }
}

/// What stands between the password and the path.
fn hosts(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts)
}

/// What stands before the hosts, with its `@`.
fn user_info(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rfind('@').map_or("", |at| &authority[..=at])
}

fn one(url: &str) -> Result<ConnectionInfo, StoreError> {
    url.into_connection_info().map_err(|error| {
        // `detail` would repeat a part of the address.
        refused(&format!("cannot be read: {:?}", error.kind()))
    })
}

fn cluster(scheme: &str, rest: &str) -> Result<Address, StoreError> {
    let (rest, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    if !matches!(path, "" | "0") {
        return Err(refused("names a database; a cluster has only the database 0"));
    }
    if !settings.is_empty() {
        return Err(refused("has settings after a question mark; a cluster has none"));
    }
    let user = user_info(rest);
    let nodes = hosts(rest).split(',').map(|host| one(&format!("{scheme}://{user}{host}")));
    Ok(Address::Cluster(nodes.collect::<Result<_, _>>()?))
}

fn sentinel(scheme: &str, rest: &str) -> Result<Address, StoreError> {
    let (rest, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let (service, database) = path.split_once('/').unwrap_or((path, "0"));
    if service.is_empty() {
        return Err(refused("names no service: redis+sentinel://host1,host2/service"));
    }
    let server = one(&format!("{scheme}://{}localhost/{database}", user_info(rest)))?;
    let sentinels = hosts(rest).split(',').map(|host| {
        let info = one(&format!("{scheme}://{}", with_port(host)))?;
        Ok(info.addr().clone())
    });
    let sentinels = sentinels.collect::<Result<_, StoreError>>()?;
    let service = service.to_owned();
    let watcher = Box::new(one(&format!("{scheme}://{}localhost", watcher(settings)?))?);
    Ok(Address::Sentinel { sentinels, service, server: Box::new(server), watcher })
}

/// Who signs in at Sentinel, in front of its host.
fn watcher(settings: &str) -> Result<String, StoreError> {
    let (mut user, mut password) = ("", "");
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("sentinel_user", name)) => user = name,
            Some(("sentinel_password", secret)) => password = secret,
            _ => {
                return Err(refused(
                    "has a setting after the question mark that is neither sentinel_user nor \
                     sentinel_password",
                ));
            }
        }
    }
    Ok(if password.is_empty() { String::new() } else { format!("{user}:{password}@") })
}

fn with_port(host: &str) -> String {
    let after_brackets = host.rsplit(']').next().unwrap_or(host);
    if after_brackets.contains(':') { host.to_owned() } else { format!("{host}:{SENTINEL_PORT}") }
}

fn refused(why: &str) -> StoreError {
    StoreError::Unavailable(format!("the address of Redis {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Address {
        Address::parse(url).expect(url)
    }

    #[test]
    fn one_server_a_cluster_and_sentinels_are_told_apart() {
        for url in ["redis://localhost/3", "rediss://ann:secret@redis.example:7000", "unix:///x"] {
            assert!(matches!(read(url), Address::Single(_)), "{url}");
        }
        for url in ["redis://a,b:7001,[::1]:7002", "rediss+cluster://:secret@a", "redis://a,b/0"] {
            assert!(matches!(read(url), Address::Cluster(_)), "{url}");
        }
        let url =
            "rediss+sentinel://ann:se%2Fcret@a,b:1,[::1]/grantor/2?sentinel_password=wa%26tch";
        let Address::Sentinel { sentinels, service, server, watcher } = read(url) else {
            panic!("{url} is Sentinel's");
        };
        let ports: Vec<_> = sentinels.iter().map(ToString::to_string).collect();
        assert_eq!(ports, ["a:26379", "b:1", "::1:26379"]);
        assert_eq!((&*service, server.redis_settings().db()), ("grantor", 2));
        assert_eq!(server.redis_settings().password(), Some("se/cret"));
        assert_eq!(watcher.redis_settings().username(), None);
        assert_eq!(watcher.redis_settings().password(), Some("wa&tch"));
        assert!(matches!(server.addr(), ConnectionAddr::TcpTls { insecure: false, .. }));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "localhost",
            "http://:secret@localhost",
            "redis://:secret@a,b/1",
            "redis://:secret@a,b?x=secret",
            "redis+sentinel://:secret@a,b",
            "redis+sentinel://a,b/grantor?password=secret",
            "redis://:secret@localhost:port",
            "redis://:secret@localhost/one",
        ] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains("the address of Redis"), "{error}");
        }
    }
}
