//! Whose fault it is that a database gave no answer, in words that hold no password and no value.

use std::io::ErrorKind;

use launchready_checks::probe::{AgentFault, ProbeError, TargetFault};

use super::address::Server;

/// What a failure means. The table of codes is in the appendix "PostgreSQL Error Codes" of its manual.
pub(super) fn explain(error: &sqlx::Error, server: &Server) -> ProbeError {
    let name = server.name();
    match error {
        sqlx::Error::Io(error) => of_connection(error, &name),
        sqlx::Error::Tls(error) => of_tls(&server.clean(&error.to_string()), server),
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            of_server(&code, &server.clean(error.message()), server)
        }
        sqlx::Error::Protocol(text) => {
            let text = server.clean(text);
            TargetFault::Malformed(format!("{name} breaks the protocol: {text}")).into()
        }
        sqlx::Error::Configuration(error) => {
            let text = server.clean(&error.to_string());
            AgentFault::Misconfigured(format!("project.database.url: {text}")).into()
        }
        other => {
            let text = server.clean(&other.to_string());
            TargetFault::Malformed(format!("{name}: {text}")).into()
        }
    }
}

fn of_connection(error: &std::io::Error, name: &str) -> ProbeError {
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            TargetFault::Refused(format!("{name} takes no connection; see whether it runs")).into()
        }
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            let what = format!("to {name}; a host that has IPv6 alone needs the pooler's address");
            AgentFault::NoNetwork(what).into()
        }
        ErrorKind::TimedOut => TargetFault::TimedOut(name.to_owned()).into(),
        ErrorKind::NotFound => {
            TargetFault::Refused(format!("{name} has no such socket; see whether it runs")).into()
        }
        ErrorKind::InvalidData => of_certificate(&error.to_string(), name),
        // A name that does not resolve has no kind that can be named.
        _ if error.to_string().contains("lookup") => {
            TargetFault::Unresolvable(format!("the host of {name}")).into()
        }
        _ => TargetFault::Refused(format!("{name} ended the connection; see its log")).into(),
    }
}

fn of_tls(text: &str, server: &Server) -> ProbeError {
    let name = server.name();
    if text.contains("does not support TLS") {
        let what = format!(
            "{name} does not encrypt; turn it on there (a pooler has its own setting), or say \
             sslmode=disable in project.database.url"
        );
        return TargetFault::Tls(what).into();
    }
    of_certificate(text, &name)
}

fn of_certificate(text: &str, name: &str) -> ProbeError {
    let what = format!(
        "{name}: {text}; where an authority of its own signed the certificate, as at Supabase, name it: \
         [project.database] root = \"FILE.pem\""
    );
    TargetFault::Tls(what).into()
}

fn of_server(code: &str, says: &str, server: &Server) -> ProbeError {
    let (name, user) = (server.name(), &server.user);
    let lower = says.to_ascii_lowercase();
    let refused = |part: &str| lower.contains(part);
    if refused("tenant or user not found") {
        let what = format!("{name} knows no user {user:?}; a pooler of Supabase wants user.REF");
        return AgentFault::BadCredential(what).into();
    }
    if matches!(code, "28P01" | "28000")
        || refused("authentication failed")
        || refused("no such user")
    {
        return AgentFault::BadCredential(format!("{name} refuses user {user:?}: {says}")).into();
    }
    if code == "3D000" || refused("no such database") {
        let what = format!("project.database.url: {name} has no database {:?}", server.database);
        return AgentFault::Misconfigured(what).into();
    }
    match code.get(..2).unwrap_or_default() {
        // What the server says about a value quotes it.
        "22" => {
            let what = format!("{name} cannot read a value ({code}): {}", without_quoted(says));
            TargetFault::Malformed(what).into()
        }
        _ if code == "42501" => {
            let what = format!("{says}; as the owner: GRANT SELECT ON the table TO \"{user}\"");
            AgentFault::Forbidden(what).into()
        }
        _ if code == "57014" => {
            TargetFault::TimedOut(format!("{name} took too long: {says}")).into()
        }
        "25" | "42" | "0A" => AgentFault::Misconfigured(format!("{name} says: {says}")).into(),
        "53" => {
            let what = format!("{name} has no room: {says}; free a connection, or raise the limit");
            TargetFault::Refused(what).into()
        }
        _ => TargetFault::Refused(format!("{name} says: {says} ({code})")).into(),
    }
}

/// `text` with what stands in double quotes taken out.
fn without_quoted(text: &str) -> String {
    text.split('"')
        .enumerate()
        .map(|(place, part)| if place % 2 == 0 { part } else { "…" })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_quoted() {
        assert_eq!(
            without_quoted("invalid input syntax for type timestamp: \"a@b.example\""),
            "invalid input syntax for type timestamp: …"
        );
    }
}
