//! A cluster with the shop's database and a user that only looks, and a pooler in front of it.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use self::postgres::as_nobody;
use crate::port::free_port;
use crate::process::{Ready, Server};
use crate::support::{has, program};

#[allow(dead_code, reason = "other tests kill it, too")]
#[path = "postgres.rs"]
mod postgres;

/// The user that looks, and its password. A slash and a plus have to be escaped in an address.
pub(crate) const LOOKER: &str = "looker";
pub(crate) const PASSWORD: &str = "l00k/only+please";
/// The database.
pub(crate) const DATABASE: &str = "shop";

/// A cluster of which a product keeps its rows in one database.
pub(crate) struct Cluster(postgres::Cluster);

impl Deref for Cluster {
    type Target = postgres::Cluster;

    fn deref(&self) -> &postgres::Cluster {
        &self.0
    }
}

impl DerefMut for Cluster {
    fn deref_mut(&mut self) -> &mut postgres::Cluster {
        &mut self.0
    }
}

impl Cluster {
    /// Starts a cluster; `None`, with the reason, where PostgreSQL is not installed.
    pub(crate) async fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let cluster = Self(postgres::Cluster::start(test, settings)?);
        cluster.sql_in("postgres", &format!("create database {DATABASE}")).await;
        let looker = format!("create role {LOOKER} login bypassrls password '{PASSWORD}'");
        cluster.sql(&looker).await;
        Some(cluster)
    }

    /// Runs statements as the owner.
    pub(crate) async fn sql(&self, sql: &str) {
        self.sql_in(DATABASE, sql).await;
    }

    /// The first value of an answer, as the owner.
    pub(crate) async fn value(&self, sql: &str) -> String {
        self.value_in(DATABASE, sql).await
    }

    /// The address for the user that looks.
    pub(crate) fn url(&self) -> String {
        url_at(self.address, DATABASE)
    }

    /// A pooler in front of the server, which hands each connection to whoever has a transaction.
    pub(crate) fn pooler(&self, test: &str) -> Option<(Server, SocketAddr)> {
        if !has(test, &["pgbouncer"]) {
            return None;
        }
        let address = free_port();
        let users = self.write("users.txt", &format!("\"{LOOKER}\" \"{PASSWORD}\"\n"), 0o600);
        let text = format!(
            "[databases]\n{DATABASE} = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 1\nserver_login_retry = 1\nquery_wait_timeout = 2\n",
            self.address.port(),
            address.port(),
            users.display()
        );
        let config = self.write("pgbouncer.ini", &text, 0o600);
        let mut words = as_nobody(&program("pgbouncer").unwrap());
        words.push(config.display().to_string());
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let server = Server::start(&program("setpriv").unwrap(), &words, Ready::Accepts(address));
        Some((server, address))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.down();
    }
}

/// The address of a database for the user that looks.
pub(crate) fn url_at(address: SocketAddr, database: &str) -> String {
    let password = PASSWORD.replace('/', "%2F").replace('+', "%2B");
    format!("postgres://{LOOKER}:{password}@{address}/{database}")
}
