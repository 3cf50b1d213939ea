//! The registration port: RDAP (RFC 9082, 9083), with the servers of the usual suffixes built in and
//! IANA's bootstrap file (RFC 9224) for the others.

use std::sync::Arc;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, Dns, ProbeError, Registration, RegistrationAnswer, RegistrationEvent,
    TargetFault,
};
use rustls::RootCertStore;
use serde::Deserialize;

use super::client::{bounded, client, fault};

/// The most bytes of an RDAP answer or the bootstrap file.
const ANSWER_BYTES: usize = 1024 * 1024;
/// Events, states and name servers that are kept.
const KEPT: usize = 32;
/// IANA's list of servers by suffix.
const BOOTSTRAP: &str = "https://data.iana.org/rdap/dns.json";

/// Suffixes and the RDAP service of their registry: the generic ones that start-ups use most, from
/// the registries' own pages, and country suffixes that answer although IANA's file leaves them out.
const SERVICES: &[(&[&str], &str)] = &[
    (&["com"], "https://rdap.verisign.com/com/v1/"),
    (&["net"], "https://rdap.verisign.com/net/v1/"),
    (&["org"], "https://rdap.publicinterestregistry.org/rdap/"),
    (&["app", "dev", "page", "new"], "https://pubapi.registry.google/rdap/"),
    (
        &["ai", "info", "io", "sh", "ac", "me", "live", "pro", "studio", "social", "digital"],
        "https://rdap.identitydigital.services/rdap/",
    ),
    (&["xyz"], "https://rdap.centralnic.com/xyz/"),
    (&["uk"], "https://rdap.nominet.uk/uk/"),
    (&["fr"], "https://rdap.nic.fr/"),
    (&["nl"], "https://rdap.sidn.nl/"),
    (&["co"], "https://rdap.registry.co/co/"),
    (&["de"], "https://rdap.denic.de/"),
    (&["ch", "li"], "https://rdap.nic.ch/"),
    (&["so"], "https://rdap.nic.so/"),
];

/// Asks registries.
#[derive(Debug)]
pub struct RegistrationProbe {
    dns: Arc<dyn Dns>,
    roots: Arc<RootCertStore>,
    /// A server that is asked whatever the suffix.
    server: Option<String>,
}

impl RegistrationProbe {
    /// Asks the registries' own servers, or `server` for every suffix.
    pub fn new(dns: Arc<dyn Dns>, roots: Arc<RootCertStore>, server: Option<String>) -> Self {
        Self { dns, roots, server }
    }

    async fn look_up(&self, name: &str) -> Result<RegistrationAnswer, ProbeError> {
        let client = client(Arc::clone(&self.dns), &self.roots)?;
        let suffix = name.rsplit('.').next().unwrap_or_default();
        let server = match &self.server {
            Some(server) => server.clone(),
            None => match built_in(suffix) {
                Some(server) => server.to_owned(),
                None => match bootstrap(&client, suffix).await? {
                    Some(server) => server,
                    None => {
                        return Ok(RegistrationAnswer::NoService { suffix: suffix.to_owned() });
                    }
                },
            },
        };
        let url = format!("{}/domain/{name}", server.trim_end_matches('/'));
        let host = url::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "the registry".to_owned());
        let answer = client
            .get(&url)
            .header("accept", "application/rdap+json")
            .send()
            .await
            .map_err(|error| fault(&error, &host))?;
        match answer.status().as_u16() {
            200 => {
                let body = bounded(answer, ANSWER_BYTES).await?;
                read(&body, &server).ok_or_else(|| {
                    TargetFault::Malformed(format!("{host} sends no RDAP domain object")).into()
                })
            }
            404 => Ok(RegistrationAnswer::NotRegistered { server }),
            429 => {
                let wait = answer.headers().get("retry-after").and_then(|v| v.to_str().ok());
                let wait = wait.map(|wait| format!(", asks to wait {wait} s")).unwrap_or_default();
                Err(AgentFault::RateLimited(format!("{host} answers 429{wait}")).into())
            }
            status => Err(TargetFault::Malformed(format!("{host} answers {status}")).into()),
        }
    }
}

impl Registration for RegistrationProbe {
    fn domain(&self, name: String) -> Answer<'_, Result<RegistrationAnswer, ProbeError>> {
        Box::pin(async move { self.look_up(&name).await })
    }
}

fn built_in(suffix: &str) -> Option<&'static str> {
    SERVICES.iter().find(|(suffixes, _)| suffixes.contains(&suffix)).map(|(_, server)| *server)
}

/// RFC 9224: services are pairs of suffixes and servers.
#[derive(Deserialize)]
struct Bootstrap {
    services: Vec<(Vec<String>, Vec<String>)>,
}

async fn bootstrap(client: &reqwest::Client, suffix: &str) -> Result<Option<String>, ProbeError> {
    let host = "data.iana.org";
    let answer = client.get(BOOTSTRAP).send().await.map_err(|error| fault(&error, host))?;
    let body = bounded(answer, ANSWER_BYTES).await?;
    let file: Bootstrap = json::from_slice(&body)
        .map_err(|_source| TargetFault::Malformed(format!("{host} sends no bootstrap file")))?;
    let found = file
        .services
        .into_iter()
        .find(|(suffixes, _)| suffixes.iter().any(|s| s.eq_ignore_ascii_case(suffix)));
    Ok(found.and_then(|(_, servers)| servers.into_iter().find(|url| url.starts_with("https:"))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DomainObject {
    object_class_name: String,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    nameservers: Vec<NameServer>,
    #[serde(rename = "secureDNS")]
    secure_dns: Option<SecureDns>,
    #[serde(default)]
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_action: String,
    event_date: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NameServer {
    ldh_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecureDns {
    delegation_signed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    #[serde(default)]
    roles: Vec<String>,
    vcard_array: Option<serde_json::Value>,
}

/// What a domain object says.
pub(super) fn read(body: &[u8], server: &str) -> Option<RegistrationAnswer> {
    let object: DomainObject = json::from_slice(body).ok()?;
    if object.object_class_name != "domain" {
        return None;
    }
    let short = |text: &str| text.chars().take(100).collect::<String>();
    let registrar =
        object.entities.iter().find(|entity| entity.roles.iter().any(|r| r == "registrar"));
    Some(RegistrationAnswer::Known {
        server: server.to_owned(),
        status: object.status.iter().take(KEPT).map(|s| short(&s.to_ascii_lowercase())).collect(),
        events: object
            .events
            .iter()
            .take(KEPT)
            .map(|event| RegistrationEvent {
                action: short(&event.event_action.to_ascii_lowercase()),
                date: short(&event.event_date),
            })
            .collect(),
        name_servers: object
            .nameservers
            .iter()
            .take(KEPT)
            .filter_map(|server| server.ldh_name.as_deref())
            .map(|name| short(name.trim_end_matches('.')).to_ascii_lowercase())
            .collect(),
        delegation_signed: object.secure_dns.and_then(|secure| secure.delegation_signed),
        registrar: registrar
            .and_then(|entity| full_name(entity.vcard_array.as_ref()?))
            .map(|n| short(&n)),
    })
}

/// The `fn` property of a jCard (RFC 7095): `["vcard", [["fn", {}, "text", NAME], …]]`.
fn full_name(card: &serde_json::Value) -> Option<String> {
    let properties = card.get(1)?.as_array()?;
    let name = properties.iter().find(|property| property.get(0).is_some_and(|n| n == "fn"))?;
    name.get(3)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_object_is_read_and_bounded() {
        let body = br#"{"objectClassName":"domain","ldhName":"harbor.example",
            "status":["client transfer prohibited"],
            "events":[{"eventAction":"expiration","eventDate":"2027-03-01T10:00:00Z"}],
            "nameservers":[{"ldhName":"NS1.DNS.EXAMPLE."}],"secureDNS":{"delegationSigned":true},
            "entities":[{"roles":["registrar"],"vcardArray":["vcard",[["version",{},"text","4.0"],["fn",{},"text","Some Registrar"]]]}]}"#;
        let Some(RegistrationAnswer::Known {
            status,
            events,
            name_servers,
            delegation_signed,
            registrar,
            ..
        }) = read(body, "https://rdap.test/")
        else {
            panic!("not read");
        };
        assert_eq!(status, ["client transfer prohibited"]);
        assert_eq!(events[0].date, "2027-03-01T10:00:00Z");
        assert_eq!(name_servers, ["ns1.dns.example"]);
        assert_eq!(delegation_signed, Some(true));
        assert_eq!(registrar.as_deref(), Some("Some Registrar"));
    }

    #[test]
    fn garbage_is_no_domain_object() {
        assert!(read(b"", "").is_none());
        assert!(read(br#"{"objectClassName":"error"}"#, "").is_none());
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(deep.as_bytes(), "").is_none());
    }
}
