//! Listening sockets, and what to do when there is none to be had.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::ListenError;

/// Listens on `address`, an IP address or `localhost`, which means 127.0.0.1 and, where there is
/// one, ::1 on the same port. Port 0 takes any that is free. Has to be called in the runtime.
pub(crate) fn bind(address: &str, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    if address != "localhost" {
        let address: IpAddr = address.parse().map_err(|_| {
            ListenError(format!("\"{address}\" is neither \"localhost\" nor an IP address"))
        })?;
        return Ok(vec![socket(address, port).map_err(|e| explain(&e, address, port))?]);
    }
    let mut last = None;
    for _ in 0..FREE_PORT_TRIES {
        match both(port) {
            Err(error) if port == 0 => last = Some(error),
            outcome => return outcome,
        }
    }
    Err(last.unwrap_or_else(|| ListenError("no port is free on this machine".to_owned())))
}

/// A port that is free on 127.0.0.1 may be taken on ::1.
const FREE_PORT_TRIES: usize = 8;

fn both(port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let (four, six) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
    let first = socket(four, port).map_err(|error| explain(&error, four, port))?;
    let port = first.local_addr().map_err(|error| explain(&error, four, port))?.port();
    match socket(six, port) {
        Ok(second) => Ok(vec![first, second]),
        // Whoever holds the port on ::1 would get the browsers that try it first.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(explain(&error, six, port)),
        Err(_) => Ok(vec![first]),
    }
}

fn socket(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `::` means all there is, IPv4 too; any other address means itself.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restart must not wait for the last connections of the process before.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

const BACKLOG: i32 = 1024;

fn explain(error: &io::Error, address: IpAddr, port: u16) -> ListenError {
    ListenError(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} on {address} is taken by another program; choose another with --port (or \
             the setting listen.port)"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not listen on port {port} of {address}; choose one above 1023 (the \
             setting listen.port)"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "{address} is not an address of this machine; look at the setting listen.address"
        ),
        _ => format!("cannot listen on port {port} of {address}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_both_loopback_addresses_on_one_port() {
        let listeners = bind("localhost", 0).expect("a free port");
        let addresses: Vec<_> =
            listeners.iter().map(|l| l.local_addr().expect("it is bound")).collect();
        assert!(addresses.iter().all(|a| a.ip().is_loopback() && a.port() == addresses[0].port()));
    }

    #[tokio::test]
    async fn a_taken_port_is_explained() {
        let first = bind("127.0.0.1", 0).expect("a free port");
        let port = first[0].local_addr().expect("it is bound").port();
        for address in ["127.0.0.1", "localhost"] {
            let error = bind(address, port).expect_err("it is taken").to_string();
            let expected = format!("port {port} on 127.0.0.1 is taken by another program; choose");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[tokio::test]
    async fn foreign_addresses_are_explained() {
        let error = bind("192.0.2.1", 0).expect_err("not ours").to_string();
        assert!(error.contains("not an address of this machine"), "{error}");
        assert!(bind("example.com", 0).is_err());
    }
}
