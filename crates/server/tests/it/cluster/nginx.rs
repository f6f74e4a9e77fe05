//! nginx of Debian's package, in front of two nodes as `deploy/nginx/` has it, and as quick to see a
//! node again as a test wants it.

use std::fs;
use std::time::{Duration, Instant};

use grantor_store::contract::servers::{Kept, free_port};
use tempfile::TempDir;

use crate::support::client;

/// A running nginx. It ends with the process of the test.
pub(crate) struct Nginx {
    /// Its origin.
    pub(crate) origin: String,
    _kept: Kept,
    folder: TempDir,
}

impl Nginx {
    /// A port for one that is started later.
    pub(crate) fn origin() -> String {
        format!("http://127.0.0.1:{}", free_port())
    }

    /// Starts it at `origin`, in front of the ports.
    pub(crate) async fn start(origin: String, nodes: [u16; 2]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shown = folder.path().display().to_string();
        let port = origin.rsplit_once(':').expect("a port").1;
        let config = folder.path().join("nginx.conf");
        fs::write(&config, text(&shown, port, nodes)).expect("written");
        let config = config.display().to_string();
        let program =
            ["/usr/sbin/nginx", "-p", &shown, "-e", &format!("{shown}/error.log"), "-c", &config];
        let program: Vec<_> = program.into_iter().map(str::to_owned).collect();
        let nginx = Self { _kept: Kept::start(&shown, &program), folder, origin };
        let until = Instant::now() + Duration::from_secs(20);
        while client().get(format!("{}/healthz", nginx.origin)).send().await.is_err() {
            let why = "nginx does not answer: is Debian's package nginx-light installed?";
            assert!(Instant::now() < until, "{why}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("--- the last of nginx, newest first:\n{}", last.join("\n"));
        }
    }
}

/// One process, so that it ends when its keeper kills it. What has been sent is sent again only where
/// that does no harm: not if it is a POST.
fn text(folder: &str, port: &str, [a, b]: [u16; 2]) -> String {
    format!(
        "master_process off;
        daemon off;
        pid {folder}/pid;
        events {{ worker_connections 1024; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            upstream nodes {{
                server 127.0.0.1:{a} max_fails=1 fail_timeout=1s;
                server 127.0.0.1:{b} max_fails=1 fail_timeout=1s;
                keepalive 32;
                keepalive_timeout 1s;
            }}
            server {{
                listen 127.0.0.1:{port} backlog=1024;
                large_client_header_buffers 4 32k;
                proxy_buffer_size 32k;
                proxy_buffers 8 32k;
                proxy_busy_buffers_size 64k;
                proxy_http_version 1.1;
                proxy_set_header Connection \"\";
                proxy_set_header Host $http_host;
                proxy_set_header X-Forwarded-For $remote_addr;
                proxy_set_header Forwarded \"\";
                proxy_connect_timeout 2s;
                proxy_read_timeout 45s;
                proxy_next_upstream error timeout;
                proxy_next_upstream_tries 2;
                proxy_next_upstream_timeout 5s;
                location / {{ proxy_pass http://nodes; }}
            }}
        }}\n"
    )
}
