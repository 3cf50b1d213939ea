//! Asks DNS whether a domain is proven to belong to whoever has the token of the config.

use std::time::Duration;

use launchready_checks::contract::{Ownership, OwnershipRecord};
use launchready_checks::probe::{Dns, DnsQuestion, RecordType};
use tokio::time::timeout;

/// What the TXT records of a domain prove. Where they cannot be read in time, nothing is.
pub(super) async fn ownership(
    dns: &dyn Dns,
    domain: &str,
    token: Option<&str>,
    limit: Duration,
) -> Ownership {
    let Some(token) = token else { return Ownership::default() };
    let name = OwnershipRecord::new(domain, token).name;
    let answer = timeout(limit, dns.lookup(DnsQuestion::new(&name, RecordType::Txt))).await;
    let texts = answer.ok().and_then(Result::ok).map_or_else(Vec::new, |answer| answer.texts());
    Ownership::judge(domain, token, &texts)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::IpAddr;

    use launchready_checks::probe::{Answer, DnsAnswer, ProbeError, Transfer};

    use super::*;

    /// A resolver that never answers.
    #[derive(Debug)]
    struct Silent;

    impl Dns for Silent {
        fn lookup(&self, _: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
            Box::pin(pending())
        }

        fn transfer(&self, _: String, _: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
            Box::pin(pending())
        }

        fn resolvers(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[tokio::test]
    async fn a_resolver_that_is_silent_proves_nothing_within_the_limit() {
        let limit = Duration::from_millis(1);
        let judged = ownership(&Silent, "harbor.example", Some("a-token"), limit).await;
        assert!(!judged.is_proven(), "{judged:?}");
    }
}
