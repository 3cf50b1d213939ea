//! The findings of `mail-dmarc`.

use crate::contract::FindingSpec;

pub(super) const MISSING: FindingSpec = FindingSpec::critical(
    "dmarc-missing",
    "There is no DMARC policy",
    "Gmail, Yahoo and Outlook put mail from senders without DMARC into spam or refuse it, so buyers \
     miss receipts and password resets; and anybody can send invoices in your name.",
)
.blocks();
pub(super) const MULTIPLE: FindingSpec = FindingSpec::critical(
    "dmarc-multiple",
    "There are several DMARC records at one name",
    "Receivers ignore all of them, so the domain counts as unprotected and its mail loses the trust \
     that big mailbox providers ask for.",
);
pub(super) const SYNTAX: FindingSpec = FindingSpec::critical(
    "dmarc-syntax",
    "The DMARC record cannot be read",
    "Receivers ignore a record that they cannot read, so the domain is as open to forgery as without \
     one, although it looks protected.",
);
pub(super) const ALIGNMENT: FindingSpec = FindingSpec::critical(
    "dmarc-alignment-impossible",
    "Mail from the domain cannot pass DMARC",
    "Every receipt, reset and reply fails the check at the receiver: it lands in spam, or is refused \
     once the policy is enforced.",
);
pub(super) const POLICY_NONE: FindingSpec = FindingSpec::warning(
    "dmarc-policy-none",
    "The DMARC policy asks receivers to do nothing",
    "Mail that somebody forges in your name is delivered like your own; buyers who pay a forged \
     invoice blame you.",
);
pub(super) const BELOW_NONE: FindingSpec = FindingSpec::warning(
    "dmarc-subdomain-policy-none",
    "The DMARC policy leaves names below the domain open",
    "Forgers use a made-up name such as billing.<your domain>, which readers take for yours.",
);
pub(super) const TESTING: FindingSpec = FindingSpec::warning(
    "dmarc-test-mode",
    "The DMARC policy is in test mode",
    "Receivers apply a weaker policy than the one that is written down, so forged mail still gets \
     through.",
);
pub(super) const NO_REPORTS: FindingSpec = FindingSpec::warning(
    "dmarc-reports-missing",
    "Nobody receives DMARC reports",
    "Without the daily reports nobody learns which of your own tools fails the check, so the policy \
     can never be enforced without losing mail.",
);
pub(super) const BAD_REPORTS: FindingSpec = FindingSpec::warning(
    "dmarc-report-address-invalid",
    "DMARC reports cannot be sent to an address",
    "The reports that show forged and failing mail never arrive, and nobody notices.",
);
pub(super) const UNAUTHORISED: FindingSpec = FindingSpec::warning(
    "dmarc-reports-unauthorised",
    "An outside report address has not agreed to receive reports",
    "Receivers do not send reports to an outside domain that has not agreed, so they never arrive.",
);
pub(super) const MISPLACED: FindingSpec = FindingSpec::warning(
    "dmarc-misplaced",
    "A mail record stands at the wrong name",
    "Receivers look at one exact name only: what stands elsewhere protects nothing, although it looks \
     as if it did.",
);
pub(super) const IGNORED: FindingSpec = FindingSpec::warning(
    "dmarc-tag-ignored",
    "Receivers skip a part of the DMARC record",
    "The setting that was meant is not in force, and nothing says so.",
);
pub(super) const SUFFIX: FindingSpec = FindingSpec::warning(
    "dmarc-public-suffix-claimed",
    "The DMARC record calls the domain a public suffix",
    "Receivers then take each name below the domain for another organisation, and mail that one of \
     them sends for another fails the check.",
);
pub(super) const REMOVED: FindingSpec = FindingSpec::info(
    "dmarc-removed-tag",
    "The DMARC record uses a tag that the standard has removed",
    "Receivers that follow the standard of 2026 skip it, older ones do not, so the same mail is \
     treated differently.",
);
pub(super) const NOT_FIRST: FindingSpec = FindingSpec::info(
    "dmarc-policy-not-first",
    "The policy is not the first tag after the version",
    "Receivers that follow the older standard may ignore the whole record.",
);

pub(super) const ALL: &[FindingSpec] = &[
    MISSING,
    MULTIPLE,
    SYNTAX,
    ALIGNMENT,
    POLICY_NONE,
    BELOW_NONE,
    TESTING,
    NO_REPORTS,
    BAD_REPORTS,
    UNAUTHORISED,
    MISPLACED,
    IGNORED,
    SUFFIX,
    REMOVED,
    NOT_FIRST,
];
