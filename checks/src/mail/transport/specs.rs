//! The findings of `mail-transport`.

use crate::contract::FindingSpec;

pub(super) const NO_MX: FindingSpec = FindingSpec::critical(
    "mx-missing",
    "The domain sends mail and cannot receive any",
    "Buyers who answer a receipt get an error, delivery failures reach nobody, and some receivers \
     refuse mail from a domain that takes no answers.",
);
pub(super) const UNRESOLVABLE: FindingSpec = FindingSpec::critical(
    "mx-unresolvable",
    "A mail server of the domain does not exist",
    "Mail for the domain waits at its senders for days and then comes back; support requests are lost \
     meanwhile.",
)
.now();
pub(super) const NULL_MX: FindingSpec = FindingSpec::warning(
    "mx-null-contradicted",
    "A null MX record contradicts the mail set-up",
    "A null MX says that the domain takes no mail: receivers may refuse what it sends, and senders \
     may drop what it should receive.",
);
pub(super) const ALIAS: FindingSpec = FindingSpec::warning(
    "mx-alias",
    "A mail server of the domain is an alias",
    "The standard forbids an alias as mail server; some senders refuse to deliver, so mail gets lost \
     from some customers and not from others.",
);
pub(super) const ADDRESS: FindingSpec = FindingSpec::warning(
    "mx-address",
    "An MX record holds an address and not a name",
    "Most senders take it for a name that does not exist and do not deliver.",
);
pub(super) const UNREACHABLE: FindingSpec = FindingSpec::warning(
    "mx-unreachable",
    "A mail server of the domain takes no connections",
    "Mail is delayed, or comes back to the customer when no other server takes it.",
)
.noted();
pub(super) const NO_STARTTLS: FindingSpec = FindingSpec::warning(
    "mx-without-starttls",
    "A mail server of the domain takes mail without encryption only",
    "Everybody on the way can read what customers write to you, and large providers show their users \
     a warning.",
)
.noted();
pub(super) const STARTTLS_FAILS: FindingSpec = FindingSpec::warning(
    "mx-starttls-failing",
    "Encryption with a mail server of the domain fails",
    "Careful senders do not deliver at all, the others fall back to sending in the clear.",
)
.noted();
pub(super) const CERTIFICATE: FindingSpec = FindingSpec::warning(
    "mx-certificate-wrong",
    "The certificate of a mail server is not valid for its name",
    "Senders cannot tell the server from an impostor; those that insist on it (MTA-STS) do not \
     deliver.",
)
.noted();
pub(super) const STS_POLICY: FindingSpec = FindingSpec::warning(
    "mta-sts-policy-missing",
    "MTA-STS is announced and its policy cannot be fetched",
    "The protection is not in force, and senders who remember an older policy may refuse to deliver \
     once a mail server changes.",
);
pub(super) const STS_MALFORMED: FindingSpec = FindingSpec::warning(
    "mta-sts-malformed",
    "MTA-STS is set up with an error",
    "Senders ignore the policy, so mail to you can be read or diverted although it looks protected.",
);
pub(super) const STS_UNCOVERED: FindingSpec = FindingSpec::warning(
    "mta-sts-mx-not-covered",
    "The MTA-STS policy leaves out a mail server",
    "Gmail, Outlook and others do not deliver to a server that an enforced policy leaves out: \
     customers' mail bounces.",
);
pub(super) const TLS_REPORTS: FindingSpec = FindingSpec::info(
    "tls-reports-missing",
    "Nobody receives reports about failing encryption",
    "Without TLS-RPT nobody tells you that mail to you fails to arrive encrypted.",
);
pub(super) const BIMI: FindingSpec = FindingSpec::info(
    "bimi-without-enforced-dmarc",
    "A BIMI logo is published and no mailbox shows it",
    "Mailbox providers show the logo only when the DMARC policy is enforced, so the work on it is \
     wasted.",
);

pub(super) const ALL: &[FindingSpec] = &[
    NO_MX,
    UNRESOLVABLE,
    NULL_MX,
    ALIAS,
    ADDRESS,
    UNREACHABLE,
    NO_STARTTLS,
    STARTTLS_FAILS,
    CERTIFICATE,
    STS_POLICY,
    STS_MALFORMED,
    STS_UNCOVERED,
    TLS_REPORTS,
    BIMI,
];
