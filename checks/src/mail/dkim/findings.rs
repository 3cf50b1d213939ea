//! The closed list of finding codes of `mail-dkim`.

use crate::contract::FindingSpec;

/// What a signature that cannot be checked is worth.
const UNSIGNED: &str = "Receivers cannot check the signature, so your mail counts as unsigned: Gmail, \
     Yahoo and Outlook filter or refuse it, receipts and password resets first.";

pub(super) const NO_KEY: FindingSpec = FindingSpec::critical(
    "dkim-no-key",
    "No DKIM key is published for a sending domain",
    "Mail without a DKIM signature of your domain is filtered or refused by Gmail, Yahoo and Outlook: \
     receipts, password resets and invitations do not arrive.",
)
.blocks();
pub(super) const MULTIPLE: FindingSpec = FindingSpec::critical(
    "dkim-multiple-records",
    "A selector has more than one DKIM record",
    UNSIGNED,
);
pub(super) const MALFORMED: FindingSpec =
    FindingSpec::critical("dkim-malformed-key", "A DKIM record cannot be read", UNSIGNED);
pub(super) const UNKNOWN_KIND: FindingSpec = FindingSpec::critical(
    "dkim-unknown-key-type",
    "A DKIM record has a key of a kind that receivers do not know",
    UNSIGNED,
);
pub(super) const WEAK: FindingSpec = FindingSpec::critical(
    "dkim-weak-key",
    "A DKIM key is so short that receivers must refuse it",
    "Keys below 1024 bits can be broken, so receivers ignore their signatures (RFC 8301): your mail \
     counts as unsigned, and a forger can sign as you.",
);
pub(super) const SHA1_ONLY: FindingSpec = FindingSpec::critical(
    "dkim-sha1-only",
    "A DKIM record does not allow SHA-256",
    "Receivers must not use SHA-1 (RFC 8301), so no signature of this selector counts and your mail is \
     treated as unsigned.",
);
pub(super) const NOT_FOR_MAIL: FindingSpec =
    FindingSpec::critical("dkim-not-for-mail", "A DKIM record is not meant for mail", UNSIGNED);
pub(super) const SELECTOR_MISSING: FindingSpec = FindingSpec::warning(
    "dkim-selector-missing",
    "A declared DKIM selector has no key",
    "Mail that is signed with this selector counts as unsigned, so one of your tools lands in spam \
     while the others arrive.",
);
pub(super) const TOOL_WITHOUT_KEY: FindingSpec = FindingSpec::warning(
    "dkim-tool-without-key",
    "A sending tool has no DKIM key at your domain",
    "Mail from this tool is not signed in your name, so it lands in spam while the mail of your other \
     tools arrives.",
);
pub(super) const SHORT: FindingSpec = FindingSpec::warning(
    "dkim-short-key",
    "A DKIM key is shorter than it should be",
    "A key of 1024 bits is within reach of a well-funded forger, and some receivers already count it \
     against you.",
);
pub(super) const TESTING: FindingSpec = FindingSpec::warning(
    "dkim-testing",
    "A DKIM record says that you are only testing",
    "With t=y receivers may treat signed mail like unsigned mail, so the signature earns you nothing.",
);
pub(super) const REVOKED: FindingSpec = FindingSpec::warning(
    "dkim-revoked",
    "A DKIM key is revoked",
    "If a tool still signs with this selector, its mail counts as unsigned.",
);

pub(super) const ALL: &[FindingSpec] = &[
    NO_KEY,
    MULTIPLE,
    MALFORMED,
    UNKNOWN_KIND,
    WEAK,
    SHA1_ONLY,
    NOT_FOR_MAIL,
    SELECTOR_MISSING,
    TOOL_WITHOUT_KEY,
    SHORT,
    TESTING,
    REVOKED,
];
