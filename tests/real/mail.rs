//! Postfix as the mail server of a test.

use std::path::Path;

use crate::authority::Certificate;
use crate::port::free_port;
use crate::process::{Ready, Server, is_root, run};
use crate::support::missing::skipped;
use crate::support::program;
use crate::world::World;

/// The services that greet and encrypt; no mail is ever taken.
const SERVICES: &str = "
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";

/// Whether Postfix can be started; says why not.
pub(crate) fn has_postfix(test: &str) -> bool {
    // Its processes change to a user of their own.
    is_root() || skipped(test, "Postfix has to be started by root")
}

impl World {
    /// Starts a mail server for `203.0.113.25`; without a certificate it offers no STARTTLS.
    pub(crate) fn mail(&mut self, certificate: Option<&Certificate>) {
        let folder = self.new_folder("mail");
        let [queue, data] = ["queue", "data"].map(|name| folder.join(name));
        std::fs::create_dir(&queue).unwrap();
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::chown(&data, Some(owner("postfix")), None).unwrap();
        let at = free_port();
        let tls = certificate.map_or_else(
            || "smtpd_tls_security_level = none".to_owned(),
            |certificate| {
                format!(
                    "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\n\
                     smtpd_tls_key_file = {}",
                    certificate.chain.display(),
                    certificate.key.display()
                )
            },
        );
        let config = format!(
            "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\n\
             maillog_file = {}\nmaillog_file_prefixes = {}\nmyhostname = mx.harbor.example\n\
             mydestination = harbor.example\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             smtpd_peername_lookup = no\nalias_maps =\n{tls}\n",
            queue.display(),
            data.display(),
            folder.join("mail.log").display(),
            folder.display(),
        );
        std::fs::write(folder.join("main.cf"), config).unwrap();
        let greeter = format!("{}:{} inet n - n - - smtpd\n", at.ip(), at.port());
        std::fs::write(folder.join("master.cf"), greeter + SERVICES).unwrap();
        let path = folder.to_str().unwrap();
        run("postfix", &["-c", path, "check"], &folder);
        // `postfix start-fg` leaves a shell in between that passes no signal on.
        let master = run("postconf", &["-c", path, "-h", "daemon_directory"], &folder);
        let master = Path::new(String::from_utf8(master).unwrap().trim()).join("master");
        // It changes its user, which loses the signal that ends it after a test that was killed: so
        // it ends by itself after this many seconds.
        let arguments = ["-c", path, "-d", "-e", "600"];
        self.keep(Server::start(&master, &arguments, Ready::Accepts(at)));
        self.lead("203.0.113.25:25", at);
    }
}

/// The number of a user.
fn owner(user: &str) -> u32 {
    let id = program("id").unwrap();
    let output = std::process::Command::new(id).args(["-u", user]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
