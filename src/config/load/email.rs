//! Channels that are mail: the server, who signs in, and the addresses.

use std::net::IpAddr;

use super::agent::read_host_port;
use super::reader::Reader;
use crate::config::file::ChannelTable;
use crate::config::plan::{Named, Route};
use crate::notify::SmtpSecurity;

/// The most addresses of one channel: beyond it, a mailing list is the better tool.
const ADDRESSES: usize = 50;

impl Reader<'_> {
    /// Where a channel of mail leads; nothing where that cannot be read.
    pub(super) fn email(&mut self, table: &ChannelTable, key: &str) -> Option<Route> {
        let smtp = read_smtp(table.smtp.as_deref().unwrap_or_default());
        if let Err(message) = smtp {
            self.error(&format!("{key}.smtp"), message);
        }
        let from = table.from.clone().unwrap_or_default();
        self.address(&from, &format!("{key}.from"));
        for (index, to) in table.to.iter().enumerate() {
            self.address(to, &format!("{key}.to[{index}]"));
        }
        if table.to.is_empty() || table.to.len() > ADDRESSES {
            let message = format!("write 1 to {ADDRESSES} addresses");
            self.error(&format!("{key}.to"), message);
        }
        let password = self.named(table.password.as_ref(), &format!("{key}.password"));
        let login: Option<(String, Named)> = match (table.user.clone(), password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => {
                let message = "a user needs a password; add password = { env = \"SMTP_PASSWORD\" }";
                self.error(&format!("{key}.user"), message);
                None
            }
            (None, Some(_)) => {
                self.error(&format!("{key}.password"), "a password needs a user; add user = \"…\"");
                None
            }
            (None, None) => None,
        };
        let (security, host, port) = smtp.ok()?;
        if login.is_some() && security == SmtpSecurity::Plain && !is_near(&host) {
            let message = "smtp:// would send the password readable over the network; write \
                           smtps:// or smtp+starttls://";
            self.error(&format!("{key}.smtp"), message);
        }
        Some(Route::Email { host, port, security, login, from, to: table.to.clone() })
    }

    fn address(&mut self, text: &str, key: &str) {
        if text.parse::<lettre::Address>().is_err() {
            let message =
                format!("{text:?} is no mail address; write such as \"founder@shop.example\"");
            self.error(key, message);
        }
    }
}

/// `smtps://HOST`, `smtp+starttls://HOST` or `smtp://HOST`, each with a port or not. The text is never
/// quoted: people write passwords into such addresses.
fn read_smtp(text: &str) -> Result<(SmtpSecurity, String, u16), &'static str> {
    const WRITE: &str = "this is no mail server; write such as \"smtps://smtp.shop.example:465\", \
                         \"smtp+starttls://smtp.shop.example:587\" or \"smtp://127.0.0.1:25\"";
    let (scheme, rest) = text.split_once("://").ok_or(WRITE)?;
    let (security, usual) = match scheme {
        "smtps" => (SmtpSecurity::Tls, 465),
        "smtp+starttls" => (SmtpSecurity::StartTls, 587),
        "smtp" => (SmtpSecurity::Plain, 25),
        _ => return Err(WRITE),
    };
    if rest.contains('@') {
        return Err("the address of the mail server holds no user and password; \
                    write them as user = \"…\" and password = { env = \"SMTP_PASSWORD\" }");
    }
    let (host, port) = read_host_port(rest.strip_suffix('/').unwrap_or(rest)).ok_or(WRITE)?;
    Ok((security, host, port.unwrap_or(usual)))
}

/// Whether a server is this machine or in its own network.
fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::path::Path;

    const MAIL: &str = "[[channel]]\nname = \"founder\"\nkind = \"email\"\n\
                        smtp = \"smtps://smtp.harbor.example\"\nfrom = \"a@harbor.example\"\n\
                        to = [\"b@harbor.example\"]\n";

    #[test]
    fn mail_servers_have_the_port_of_their_encryption() {
        let tls = |text| read_smtp(text).unwrap();
        let host = "smtp.harbor.example".to_owned();
        assert_eq!(tls("smtps://smtp.harbor.example"), (SmtpSecurity::Tls, host.clone(), 465));
        let starttls = tls("smtp+starttls://Smtp.Harbor.example/");
        assert_eq!(starttls, (SmtpSecurity::StartTls, host.clone(), 587));
        assert_eq!(tls("smtp://127.0.0.1"), (SmtpSecurity::Plain, "127.0.0.1".to_owned(), 25));
        assert_eq!(
            tls("smtps://[2001:db8::1]:8465"),
            (SmtpSecurity::Tls, "2001:db8::1".into(), 8465)
        );
        for bad in [
            "",
            "smtp.harbor.example",
            "https://a.example",
            "smtps://",
            "smtps://a.example:0",
            "smtps://a.example:99999",
            "smtps://a.example/x",
            "smtps://a b",
            "smtps://u:p@a.example",
        ] {
            assert!(read_smtp(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_without_encryption_is_for_the_own_network_alone() {
        for near in ["127.0.0.1:2525", "localhost:25", "10.0.0.5", "[::1]:25"] {
            let text = MAIL.replace("smtps://smtp.harbor.example", &format!("smtp://{near}"));
            let text = format!("{text}user = \"me\"\npassword = {{ env = \"P\" }}\n");
            assert!(parse(&text, Path::new(".")).is_ok(), "{text}");
        }
        for far in ["smtp.harbor.example", "8.8.8.8:25", "[2001:db8::1]:25"] {
            let text = MAIL.replace("smtps://smtp.harbor.example", &format!("smtp://{far}"));
            assert!(parse(&text, Path::new(".")).is_ok(), "without a password: {text}");
            let text = format!("{text}user = \"me\"\npassword = {{ env = \"P\" }}\n");
            let errors = parse(&text, Path::new(".")).unwrap_err().to_string();
            let said = "smtp:// would send the password readable over the network; write smtps:// or \
                        smtp+starttls://";
            assert!(errors.contains(&format!(".smtp: {said}")), "{far}: {errors}");
        }
    }
}
