//! Whether the domain exists at all: no advice about records is of use to one that nobody holds.

use crate::contract::{CheckError, Target};
use crate::probe::{Dns, DnsQuestion, Rcode, RecordType};
use crate::vendor::is_below;

/// Ends the look at the mail of a domain that does not exist.
///
/// # Errors
/// Unknown where the domain is answered with NXDOMAIN and no mail is sent from anywhere else. A
/// domain that exists without a record is answered without an error code, and is looked at.
pub(super) async fn must_exist(dns: &dyn Dns, target: &Target) -> Result<(), CheckError> {
    let domain = target.domain.as_str();
    if !target.mail.sends_from.iter().all(|name| is_below(name, domain)) {
        return Ok(());
    }
    match dns.lookup(DnsQuestion::new(domain, RecordType::Txt)).await {
        // The rest of a chain of aliases may be missing where the domain itself is not.
        Ok(answer) if answer.rcode == Rcode::NxDomain && answer.answers.is_empty() => {
            Err(CheckError::unknown(
                format!("{domain} does not exist (NXDOMAIN); see dns-resolution"),
                "check the spelling of the domain, or whether it is registered, then run it again",
            ))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
