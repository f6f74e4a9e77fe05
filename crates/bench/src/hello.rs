//! The yardstick: a form comes in, a small JSON object goes out, on the stack that Grantor uses.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::routing::post;
use axum::{Form, Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::load::Script;
use crate::wire::Answer;

#[derive(Deserialize)]
struct Asked {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    hello: String,
}

/// Serves on a free port of this machine, which `announce` is told, until the process is ended.
pub(crate) async fn serve(announce: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
    announce(listener.local_addr()?);
    let service = TowerToHyperService::new(Router::new().route("/", post(greet)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        // A peer that breaks off is its own affair.
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn greet(Form(asked): Form<Asked>) -> Json<Greeting> {
    Json(Greeting { hello: asked.name })
}

/// Greets the yardstick.
pub(crate) struct Greet;

impl Script for Greet {
    fn request(&mut self) -> Option<&[u8]> {
        Some(
            b"POST / HTTP/1.1\r\nhost: localhost\r\n\
              content-type: application/x-www-form-urlencoded\r\n\
              content-length: 10\r\n\r\nname=world",
        )
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)
    }
}
