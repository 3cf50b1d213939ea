//! nginx, with the vhosts of a test.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::authority::Certificate;
use crate::port::free_port;
use crate::process::{Ready, Server, is_root};
use crate::support::program;
use crate::world::World;

/// What every config begins with: nothing outside the folder is used.
const START: &str = "
daemon off;
worker_processes 1;
error_log stderr notice;
pid nginx.pid;
events { worker_connections 512; }
http {
access_log off;
client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
uwsgi_temp_path temp; scgi_temp_path temp;
ssl_session_cache shared:tls:1m;
default_type application/octet-stream;
types {
    text/html html; text/css css; application/javascript js; text/plain txt;
    image/svg+xml svg; application/json json;
}
";

/// Vhosts in the words of nginx, and the public addresses that lead to them.
#[derive(Debug, Default)]
pub(crate) struct Web {
    vhosts: String,
    led: Vec<(String, SocketAddr)>,
}

/// Where one machine listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
}

impl Web {
    /// A machine with these public addresses.
    pub(crate) fn machine(&mut self, addresses: &[&str]) -> Ports {
        let ports = Ports { http: free_port(), https: free_port() };
        for address in addresses {
            self.led.push((format!("{address}:80"), ports.http));
            self.led.push((format!("{address}:443"), ports.https));
        }
        ports
    }

    /// A vhost that answers http; `content` is nginx's.
    pub(crate) fn http(&mut self, at: Ports, names: &str, content: &str) {
        let head = format!("listen {}; server_name {names};", at.http);
        _ = writeln!(self.vhosts, "server {{ {head}\n{content}\n}}");
    }

    /// A vhost that answers https.
    pub(crate) fn https(&mut self, at: Ports, names: &str, with: &Certificate, content: &str) {
        let head = format!(
            "listen {} ssl http2; server_name {names};\nssl_certificate {};\nssl_certificate_key {};",
            at.https,
            with.chain.display(),
            with.key.display()
        );
        _ = writeln!(self.vhosts, "server {{ {head}\n{content}\n}}");
    }

    /// A vhost in the words of nginx alone.
    pub(crate) fn plain(&mut self, at: SocketAddr, content: &str) {
        _ = writeln!(self.vhosts, "server {{ listen {at};\n{content}\n}}");
    }
}

impl World {
    /// Starts nginx; paths in the vhosts are relative to `folder`.
    pub(crate) fn web(&mut self, folder: &Path, web: Web) {
        // The workers would be a user who must not read the folder.
        let user = if is_root() { "user root;" } else { "" };
        let config = folder.join("nginx.conf");
        std::fs::write(&config, format!("{user}{START}{}}}\n", web.vhosts)).unwrap();
        let [prefix, config] = [folder, &config].map(|path| path.to_str().unwrap());
        self.keep(Server::start(
            &program("nginx").unwrap(),
            &["-e", "stderr", "-p", prefix, "-c", config],
            Ready::Says("start worker process "),
        ));
        for (from, to) in web.led {
            self.lead(from, to);
        }
    }
}
