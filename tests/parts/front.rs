//! nginx before the page, as somebody sets it up who wants https.

use std::net::SocketAddr;
use std::path::Path;

use launchready_lab::CertificateAuthority;

use crate::port::free_port;
use crate::process::{Ready, Server, is_root};
use crate::support::program;

/// The name under which the page is reached.
pub(crate) const HOST: &str = "watch.harbor.example";
/// Its address.
pub(crate) const URL: &str = "https://watch.harbor.example";

/// What the front says, with the places in capitals.
const CONFIG: &str = "
daemon off;
worker_processes 1;
error_log stderr notice;
pid nginx.pid;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    server_tokens off;
    server {
        listen HTTP;
        server_name NAME;
        return 301 https://NAME$request_uri;
    }
    server {
        listen HTTPS ssl;
        server_name NAME;
        ssl_certificate chain.pem;
        ssl_certificate_key key.pem;
        location / {
            proxy_pass http://PAGE;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
}
";

/// A running nginx.
pub(crate) struct Front {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    _server: Server,
}

impl Front {
    /// Starts it before a page; its files go into the folder.
    pub(crate) fn start(folder: &Path, authority: &CertificateAuthority, page: SocketAddr) -> Self {
        let folder = folder.join("front");
        std::fs::create_dir(&folder).unwrap();
        let issued = authority.issue(HOST).unwrap();
        std::fs::write(folder.join("chain.pem"), issued.chain).unwrap();
        std::fs::write(folder.join("key.pem"), issued.key).unwrap();
        let (http, https) = (free_port(), free_port());
        let text = CONFIG
            .replace("HTTPS", &https.to_string())
            .replace("HTTP", &http.to_string())
            .replace("NAME", HOST)
            .replace("PAGE", &page.to_string());
        // The workers would be a user who must not read the folder.
        let user = if is_root() { "user root;" } else { "" };
        let config = folder.join("nginx.conf");
        std::fs::write(&config, format!("{user}{text}")).unwrap();
        let [prefix, config] = [&folder, &config].map(|path| path.to_str().unwrap());
        let server = Server::start(
            &program("nginx").unwrap(),
            &["-e", "stderr", "-p", prefix, "-c", config],
            Ready::Accepts(https),
        );
        Self { http, https, _server: server }
    }
}

/// Has the agent know the address under which it is reached.
pub(crate) fn behind(config: &mut toml::Table) {
    crate::rig::table(config, &["agent"]).insert("public_url".to_owned(), URL.into());
}
