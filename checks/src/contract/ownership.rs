//! Whether a domain is proven to belong to whoever runs the audit, and the DNS record that proves it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the text of the record begins with.
const MARK: &str = "launchready-verify=";

/// Whether the domain is proven to belong to whoever runs the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Ownership {
    /// The record is at `_launchready.<domain>`, or a credential of the project itself works.
    Proven {
        /// What proved it.
        by: String,
    },
    /// Not proven; active probes are off.
    Unproven {
        /// Why what stands at `_launchready.<domain>` proves nothing, as a clause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// The record to publish, where the config has a token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<OwnershipRecord>,
    },
}

impl Default for Ownership {
    fn default() -> Self {
        Self::Unproven { why: None, record: None }
    }
}

impl Ownership {
    /// What the TXT records at `_launchready.<domain>` prove to whoever has the token; blanks around a text
    /// are what editors of zones leave.
    pub fn judge(domain: &str, token: &str, texts: &[String]) -> Self {
        let token = token.trim();
        if token.is_empty() {
            return Self::default();
        }
        let record = OwnershipRecord::new(domain, token);
        let name = &record.name;
        let mut texts = texts.iter().map(|text| text.trim());
        let why = match texts.clone().count() {
            _ if texts.clone().any(|text| text == record.text) => {
                return Self::Proven { by: format!("the TXT record at {name}") };
            }
            0 => None,
            _ if texts.any(|text| text == token) => Some(format!(
                "the TXT record at {name} holds the token itself, which every stranger can read and use, so it \
                 proves nothing"
            )),
            _ => Some(format!(
                "the TXT record at {name} is not the one that belongs to this domain and the token in the config"
            )),
        };
        Self::Unproven { why, record: Some(record) }
    }

    /// Whether active probes are allowed.
    pub const fn is_proven(&self) -> bool {
        matches!(self, Self::Proven { .. })
    }

    /// A sentence's beginning, with why what is published proves nothing where that is known.
    pub fn reason(&self, begins: &str) -> String {
        match self {
            Self::Unproven { why: Some(why), .. } => format!("{begins}: {why}"),
            Self::Unproven { why: None, .. } | Self::Proven { .. } => begins.to_owned(),
        }
    }

    /// The step that proves it, such as `publish the TXT record …`.
    pub fn unlock(&self, domain: &str) -> String {
        match self {
            Self::Unproven { record: Some(record), .. } => {
                format!("publish the TXT record {} with the text \"{}\"", record.name, record.text)
            }
            Self::Unproven { record: None, .. } | Self::Proven { .. } => format!(
                "set `ownership` in the config and publish the TXT record _launchready.{domain} that \
                 `launchready config check` prints"
            ),
        }
    }
}

/// The TXT record that proves a domain to be somebody's who has the token. It does not hold the token: what
/// stands in DNS is read by everybody, and must not be enough to write a config that probes the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnershipRecord {
    /// Its full name, such as `_launchready.shop.example`.
    pub name: String,
    /// Its text: `launchready-verify=`, then the SHA-256 of domain, line feed and token in lower-case hex.
    pub text: String,
}

impl OwnershipRecord {
    /// The record of a domain, in the form in which it is asked for (A-labels), and a token.
    pub fn new(domain: &str, token: &str) -> Self {
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        let hash = Sha256::digest(format!("{domain}\n{}", token.trim()));
        Self {
            name: format!("_launchready.{domain}"),
            text: format!("{MARK}{}", hex::encode(hash)),
        }
    }
}

impl fmt::Display for OwnershipRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  TXT  \"{}\"", self.name, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "launchready-6f1d0c93ab27e458";
    /// `printf 'harbor.example\nlaunchready-6f1d0c93ab27e458' | sha256sum`
    const TEXT: &str =
        "launchready-verify=38e5d3809bbf35fcdd23725aa6cc7d71cdc357e3a74cd817b3aad67ca9e3e84a";

    fn judge(texts: &[&str]) -> Ownership {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Ownership::judge("harbor.example", TOKEN, &texts)
    }

    #[test]
    fn the_record_is_the_hash_of_domain_and_token() {
        let record = OwnershipRecord::new("harbor.example", TOKEN);
        assert_eq!(record.to_string(), format!("_launchready.harbor.example  TXT  \"{TEXT}\""));
        assert_eq!(OwnershipRecord::new("Harbor.Example.", &format!(" {TOKEN}\n")), record);
        assert!(!record.to_string().contains(TOKEN));
    }

    #[test]
    fn the_right_hash_proves_whatever_stands_beside_it() {
        for texts in [&[TEXT][..], &["v=spf1 -all", TEXT], &[&format!(" {TEXT} ")]] {
            let by = "the TXT record at _launchready.harbor.example".to_owned();
            assert_eq!(judge(texts), Ownership::Proven { by }, "{texts:?}");
        }
    }

    #[test]
    fn the_token_itself_proves_nothing_and_what_to_publish_is_said() {
        let bare = judge(&[TOKEN]);
        assert!(!bare.is_proven());
        let reason = bare.reason("ownership is not proven");
        assert!(reason.contains("holds the token itself"), "{reason}");
        let unlock = bare.unlock("harbor.example");
        assert_eq!(
            unlock,
            format!("publish the TXT record _launchready.harbor.example with the text \"{TEXT}\"")
        );
        assert!(!reason.contains(TOKEN) && !unlock.contains(TOKEN));
    }

    #[test]
    fn what_belongs_to_another_domain_or_token_proves_nothing() {
        let other = OwnershipRecord::new("cove.example", TOKEN).text;
        let token = OwnershipRecord::new("harbor.example", "launchready-0000000000000000").text;
        let upper = TEXT.to_uppercase();
        let hash = TEXT.strip_prefix(MARK).unwrap();
        for text in [&other, &token, &upper, MARK, hash] {
            let judged = judge(&[text]);
            assert!(!judged.is_proven(), "{text}");
            assert!(judged.reason("x").contains("is not the one that belongs"), "{text}");
        }
        assert_eq!(judge(&[]).reason("nothing"), "nothing");
        assert!(judge(&[]).unlock("harbor.example").contains(TEXT));
    }

    #[test]
    fn without_a_token_nothing_is_proven() {
        let empty = Ownership::judge("harbor.example", "  ", &[String::new(), "  ".to_owned()]);
        assert_eq!(empty, Ownership::default());
        assert!(empty.unlock("harbor.example").contains("config check"));
    }

    #[test]
    fn stored_evidence_reads_back() {
        for judged in [Ownership::default(), judge(&[TEXT]), judge(&[TOKEN])] {
            let text = serde_json::to_string(&judged).unwrap();
            assert_eq!(serde_json::from_str::<Ownership>(&text).unwrap(), judged);
        }
        let bare: Ownership = serde_json::from_str("{\"state\":\"unproven\"}").unwrap();
        assert_eq!(bare, Ownership::default());
        assert_eq!(serde_json::to_string(&bare).unwrap(), "{\"state\":\"unproven\"}");
    }
}
