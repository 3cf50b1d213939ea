//! The closed list of finding codes of `mail-spf`.

use crate::contract::FindingSpec;

/// What a receiver does with a record that it cannot evaluate.
const PERMERROR: &str = "Receivers give up on a record like this (permerror) and treat your mail as \
     if nobody had vouched for it: receipts and password resets land in spam or are refused.";

pub(super) const MULTIPLE: FindingSpec = FindingSpec::critical(
    "spf-multiple",
    "A name has more than one SPF record",
    "With two records receivers use neither: mail from all your tools counts as unauthorised, and \
     receipts and password resets land in spam.",
)
.blocks();
pub(super) const SYNTAX: FindingSpec =
    FindingSpec::critical("spf-syntax", "An SPF record breaks the grammar", PERMERROR);
pub(super) const JOINED: FindingSpec = FindingSpec::critical(
    "spf-joined-strings",
    "Two strings of the SPF record run together",
    "The parts of a long record are joined without a blank, so two of its terms become one word that \
     authorises nobody.",
);
pub(super) const TOO_MANY_LOOKUPS: FindingSpec = FindingSpec::critical(
    "spf-too-many-lookups",
    "The SPF record needs more than ten look-ups",
    "Receivers stop after ten look-ups and treat your mail as unauthorised, often only for the tool \
     that was added last.",
);
pub(super) const LOOP: FindingSpec =
    FindingSpec::critical("spf-loop", "An SPF record leads back to itself", PERMERROR);
pub(super) const NO_RECORD: FindingSpec = FindingSpec::critical(
    "spf-include-without-record",
    "The SPF record leads to a name that has none",
    PERMERROR,
);
pub(super) const MX_HOSTS: FindingSpec = FindingSpec::critical(
    "spf-too-many-mx-hosts",
    "The SPF record asks for more than ten mail servers at once",
    PERMERROR,
);
pub(super) const PASS_ALL: FindingSpec = FindingSpec::critical(
    "spf-pass-all",
    "The SPF record lets everybody send as you",
    "Anybody on the internet can send invoices and phishing in your name, and receivers are told \
     that you approve.",
);
pub(super) const MISSING: FindingSpec = FindingSpec::warning(
    "spf-missing",
    "A name has no SPF record",
    "Receivers cannot tell your mail from a forgery: yours is filtered more, and forgeries less.",
);
pub(super) const UNANSWERED: FindingSpec = FindingSpec::warning(
    "spf-lookup-failed",
    "A look-up that the SPF record needs gets no answer",
    "While the name does not answer, receivers put your mail off or treat it as unauthorised.",
);
pub(super) const TOO_MANY_VOIDS: FindingSpec = FindingSpec::warning(
    "spf-too-many-void-lookups",
    "The SPF record asks for names that do not exist",
    "Many receivers stop after two look-ups without a result and then treat your mail as \
     unauthorised.",
);
pub(super) const NEUTRAL_ALL: FindingSpec = FindingSpec::warning(
    "spf-neutral-all",
    "The SPF record says nothing about other senders",
    "With ?all a forgery is treated like mail that nobody made a statement about, so the record \
     protects nobody.",
);
pub(super) const NO_ALL: FindingSpec = FindingSpec::warning(
    "spf-no-all",
    "The SPF record has no end",
    "Without all a forgery is treated like mail that nobody made a statement about, so the record \
     protects nobody.",
);
pub(super) const PTR: FindingSpec = FindingSpec::warning(
    "spf-ptr",
    "The SPF record uses ptr",
    "ptr is slow and unreliable, the standard says not to use it (RFC 7208, 5.5), and some large \
     receivers refuse records with it.",
);
pub(super) const TOO_LONG: FindingSpec = FindingSpec::warning(
    "spf-record-too-long",
    "The SPF record is too long for a plain DNS answer",
    "An answer that does not fit into one packet is lost behind some firewalls, and mail to the \
     people behind them counts as unauthorised.",
);
pub(super) const AFTER_ALL: FindingSpec = FindingSpec::warning(
    "spf-terms-after-all",
    "Senders stand behind all and are ignored",
    "Nothing behind all is read, so the tools that stand there are not authorised.",
);
pub(super) const REDIRECT_IGNORED: FindingSpec = FindingSpec::warning(
    "spf-redirect-ignored",
    "A redirect stands beside all and is ignored",
    "The senders of the other record are not authorised, although the record looks as if they were.",
);
pub(super) const TOOL: FindingSpec = FindingSpec::warning(
    "spf-tool-not-covered",
    "A sending tool is not authorised to send as you",
    "Mail from this tool passes neither SPF nor DKIM in your name, so receivers filter or refuse it.",
);
pub(super) const DUPLICATE: FindingSpec = FindingSpec::info(
    "spf-duplicate-mechanism",
    "A term stands in the SPF record twice",
    "The second one does nothing, and each costs a look-up of the ten that are allowed.",
);
pub(super) const SILENT_HOSTS: FindingSpec = FindingSpec::info(
    "spf-silent-hosts",
    "Hosts that send no mail do not say so",
    "SPF is not inherited: a forger can send as one of these hosts and no SPF record contradicts.",
);

pub(super) const ALL: &[FindingSpec] = &[
    MULTIPLE,
    SYNTAX,
    JOINED,
    TOO_MANY_LOOKUPS,
    LOOP,
    NO_RECORD,
    MX_HOSTS,
    PASS_ALL,
    MISSING,
    UNANSWERED,
    TOO_MANY_VOIDS,
    NEUTRAL_ALL,
    NO_ALL,
    PTR,
    TOO_LONG,
    AFTER_ALL,
    REDIRECT_IGNORED,
    TOOL,
    DUPLICATE,
    SILENT_HOSTS,
];
