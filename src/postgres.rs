//! What the address of any PostgreSQL server means: that of the store, and that of the project's own database.

use std::net::IpAddr;

use sqlx::postgres::PgConnectOptions;

/// What is wrong with a `sslmode` that nobody knows, and what to write.
pub const NO_MODE: &str =
    "its sslmode is none that there is; write verify-full, verify-ca, require, prefer or disable";

/// Whether a server is on this machine, so that nobody between can listen.
#[must_use]
pub fn is_near(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    options.get_socket().is_some()
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A password as the server knows it: in an address `%40` is a sign.
#[must_use]
pub fn decoded(password: &str) -> String {
    // In a form a plus is a space, and `&` begins the next field.
    let form = format!("p={}", password.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.next().map(|(_, plain)| plain.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_near_by_any_name() {
        let near = |address: &str| is_near(&address.parse().unwrap());
        assert!(near("postgres://look@localhost/shop") && near("postgres://look@127.0.0.2/shop"));
        assert!(near("postgres://look@[::1]/shop"));
        assert!(near("postgres:///shop?host=/run/postgresql"));
        assert!(
            !near("postgres://look@192.0.2.1/shop")
                && !near("postgres://look@localhost.example/shop")
        );
    }

    #[test]
    fn a_password_is_read_as_the_server_reads_it() {
        assert_eq!(decoded("p%40ss%2Bword+&=%zz%"), "p@ss+word+&=%zz%");
        assert_eq!(decoded("%C3%BC%ff"), "ü\u{fffd}");
    }
}
