//! Judges what stands at one `_dmarc` name.

use super::super::published::{Published, is_spf, shown};
use super::record::{Kind, Policy, Problem, Psd, Record, kind};
use super::specs::{
    BAD_REPORTS, BELOW_NONE, IGNORED, MISPLACED, MULTIPLE, NO_REPORTS, NOT_FIRST, POLICY_NONE,
    REMOVED, SUFFIX, SYNTAX, TESTING,
};
use crate::contract::{Assessment, Finding, FindingSpec, Severity};

/// Judges the records at `_dmarc.<domain>`. `elsewhere` is a name where nothing should stand, which
/// shows what a wildcard answers; `covers_below` says that names below use the record too.
pub(super) fn judge(
    domain: &str,
    published: &Published,
    elsewhere: Option<&Published>,
    covers_below: bool,
    out: &mut Assessment,
) {
    let name = published.name.as_str();
    let records = published.records();
    let valid: Vec<&String> = records.iter().filter(|text| kind(text) == Kind::Dmarc).collect();
    match valid.as_slice() {
        [] => judge_broken(name, records, out),
        [only] if published.cut() == 0 => {
            let at = At { domain, name, text: shown(only), record: Record::read(only) };
            at.judge(covers_below, out);
        }
        [_] => {}
        _ => out.find(
            MULTIPLE
                .finding(name)
                .summary(format!(
                    "{} DMARC records stand at {name}, so receivers ignore all of them.",
                    valid.len() + published.cut()
                ))
                .saw_all(valid.iter().map(|text| format!("TXT {name}: {}", shown(text))))
                .fix(format!(
                    "Delete all DMARC records at {name} but the one that you want to keep."
                ))
                .undo("Publish the deleted records again."),
        ),
    }
    let is_wildcard =
        |text: &String| elsewhere.is_none_or(|elsewhere| elsewhere.records().contains(text));
    if let Some(spf) = records.iter().find(|text| is_spf(text) && !is_wildcard(text)) {
        out.find(
            MISPLACED
                .finding(name)
                .summary(format!("An SPF record stands at {name}, where only DMARC is looked up."))
                .saw(format!("TXT {name}: {spf}"))
                .fix(format!(
                    "Delete this TXT record at {name}. If the domain has no SPF record, publish it \
                     at {domain}."
                ))
                .undo(format!("Publish “{spf}” at {name} again.")),
        );
    }
}

fn judge_broken(name: &str, records: &[String], out: &mut Assessment) {
    let broken = records.iter().find_map(|text| match kind(text) {
        Kind::Broken(why) => Some((text, why)),
        Kind::Dmarc | Kind::Other => None,
    });
    if let Some((text, why)) = broken {
        out.find(
            SYNTAX
                .finding(name)
                .summary(format!("Receivers ignore the DMARC record at {name}: {why}."))
                .saw(format!("TXT {name}: {}", shown(text)))
                .fix(format!(
                    "Replace the record at {name} by one that begins exactly with “v=DMARC1;”, such \
                     as “v=DMARC1; p=none; rua=mailto:dmarc@{}”.",
                    name.trim_start_matches("_dmarc.")
                ))
                .undo("Publish the old text again."),
        );
    }
}

/// One record, and where it stands.
struct At<'a> {
    domain: &'a str,
    name: &'a str,
    text: String,
    record: Record,
}

impl At<'_> {
    fn finding(&self, spec: &FindingSpec) -> Finding {
        spec.finding(self.name)
            .saw(format!("TXT {}: {}", self.name, self.text))
            .undo("Publish the old text of the record again; receivers follow within its TTL.")
    }

    fn judge(&self, covers_below: bool, out: &mut Assessment) {
        self.judge_syntax(out);
        if !self.record.has_invalid_policy() {
            self.judge_policy(out);
            if covers_below {
                self.judge_below(out);
            }
        }
        self.judge_reports(out);
        self.judge_tags(out);
    }

    /// The problems that `pick` describes, in words.
    fn said(&self, pick: impl Fn(&Problem) -> Option<String>) -> Vec<String> {
        self.record.problems.iter().filter_map(pick).collect()
    }

    fn judge_syntax(&self, out: &mut Assessment) {
        let said = self.said(|problem| match problem {
            Problem::NoTag(part) => Some(format!("“{}” is no name=value", shown(part))),
            Problem::Repeated(tag) => Some(format!("the tag {tag} stands twice")),
            Problem::NoPolicy { tag, value } => {
                Some(format!("{tag}={} is no policy", shown(value)))
            }
            _ => None,
        });
        let Some(first) = said.first() else { return };
        let effect = if self.record.counts() {
            if self.record.has_invalid_policy() {
                "receivers treat it as p=none"
            } else {
                "some receivers ignore the whole record"
            }
        } else {
            "receivers ignore the record"
        };
        out.find(
            self.finding(&SYNTAX)
                .summary(format!("The DMARC record at {} is wrong: {first}; {effect}.", self.name))
                .saw_all(said.iter().skip(1))
                .fix(format!(
                    "Correct the TXT record {}: each tag once, as name=value, separated by \
                     semicolons, and p, sp and np one of none, quarantine or reject.",
                    self.name
                )),
        );
    }

    fn judge_policy(&self, out: &mut Assessment) {
        let policy = self.record.own_policy();
        let (domain, name) = (self.domain, self.name);
        if policy == Policy::None {
            let said = if self.record.policy.is_none() {
                format!("The DMARC record at {name} states no policy (p), which counts as p=none")
            } else {
                format!("The DMARC policy of {domain} is p=none")
            };
            let step = if self.record.policy.is_none() {
                "add “p=quarantine;” after “v=DMARC1;”"
            } else {
                "change “p=none” to “p=quarantine”"
            };
            out.find(
                self.finding(&POLICY_NONE)
                    .summary(format!("{said}: forged mail from {domain} is delivered as usual."))
                    .fix(format!(
                        "Read the DMARC reports until all of your own senders pass, usually two \
                         weeks. Then {step} in the TXT record {name}, and set “p=reject” two weeks \
                         later."
                    ))
                    .undo(format!("Set “p=none” in the TXT record {name} again.")),
            );
        } else if self.record.testing {
            let (severity, real) = if policy == Policy::Quarantine {
                (Severity::Warning, "none")
            } else {
                (Severity::Info, "quarantine")
            };
            out.find(
                self.finding(&TESTING)
                    .at(severity)
                    .summary(format!(
                        "The DMARC record of {domain} says p={} in test mode (t=y), so receivers \
                         apply p={real}.",
                        policy.as_str()
                    ))
                    .fix(format!(
                        "When the reports show that all of your own senders pass, remove “t=y;” from \
                         the TXT record {name}."
                    ))
                    .undo(format!("Add “t=y;” to the TXT record {name} again.")),
            );
        }
    }

    /// `sp=none`, or `np=none`, under a policy that is enforced.
    fn judge_below(&self, out: &mut Assessment) {
        let record = &self.record;
        let policy = record.own_policy();
        if policy == Policy::None {
            return;
        }
        let (tag, which) = if record.policy_below(true) == Policy::None {
            ("sp", "names below it")
        } else if record.policy_below(false) == Policy::None {
            ("np", "names below it that do not exist")
        } else {
            return;
        };
        let (domain, word) = (self.domain, policy.as_str());
        out.find(
            self.finding(&BELOW_NONE)
                .key(tag)
                .summary(format!(
                    "{domain} has p={word}, but {tag}=none leaves {which} open to forgery."
                ))
                .fix(format!(
                    "Check in the reports that no sender of yours uses a name below {domain} \
                     without passing, then change “{tag}=none” to “{tag}={word}” in the TXT record \
                     {}, or remove the tag.",
                    self.name
                ))
                .undo(format!("Set “{tag}=none” in the TXT record {} again.", self.name)),
        );
    }

    fn judge_reports(&self, out: &mut Assessment) {
        let (domain, name) = (self.domain, self.name);
        let bad = self.said(|problem| match problem {
            Problem::NoReportAddress { entry, why } => Some(format!("“{}”: {why}", shown(entry))),
            _ => None,
        });
        if let Some(first) = bad.first() {
            out.find(
                self.finding(&BAD_REPORTS)
                    .summary(format!(
                        "No DMARC report about {domain} can be sent to an address in rua: {first}."
                    ))
                    .saw_all(bad.iter().skip(1))
                    .fix(format!(
                        "Write each address in the rua tag of the TXT record {name} as \
                         mailto:name@domain, with commas between them."
                    )),
            );
        }
        if self.record.asks_for_reports {
            return;
        }
        let blind = self.record.own_policy() == Policy::None;
        out.find(
            self.finding(&NO_REPORTS)
                .at(if blind { Severity::Warning } else { Severity::Info })
                .summary(format!("The DMARC record of {domain} names no address for reports (rua)."))
                .fix(format!(
                    "Add “rua=mailto:dmarc@{domain};” to the TXT record {name}, with an address that \
                     somebody reads or that of a report service."
                ))
                .undo(format!("Remove the rua tag from the TXT record {name}.")),
        );
    }

    fn judge_tags(&self, out: &mut Assessment) {
        let name = self.name;
        let values = self.said(|problem| match problem {
            // Failure reports are optional for everybody, so a wrong fo hurts nobody.
            Problem::NoValue { tag, value } if *tag != "fo" => {
                Some(format!("{tag}={} is no value of {tag}", shown(value)))
            }
            _ => None,
        });
        let unknown = self.said(|problem| match problem {
            Problem::Unknown(tag) => Some(format!("{tag} is no DMARC tag")),
            Problem::NoValue { tag: "fo", value } => Some(format!("fo={value} is no value of fo")),
            _ => None,
        });
        if let Some(first) = values.iter().chain(&unknown).next() {
            let severity = if values.is_empty() { Severity::Info } else { Severity::Warning };
            out.find(
                self.finding(&IGNORED)
                    .at(severity)
                    .summary(format!("Receivers skip a part of the record at {name}: {first}."))
                    .saw_all(values.iter().chain(&unknown).skip(1))
                    .fix(format!("Correct or remove that tag in the TXT record {name}.")),
            );
        }
        if self.record.psd == Psd::Yes {
            out.find(
                self.finding(&SUFFIX)
                    .summary(format!(
                        "psd=y calls {} a public suffix, under which strangers register names.",
                        self.domain
                    ))
                    .fix(format!("Remove “psd=y” from the TXT record {name}.")),
            );
        }
        let removed = self.said(|problem| match problem {
            Problem::Removed { tag, value } if *tag == "pct" => {
                Some(format!("pct={}", shown(value)))
            }
            Problem::Removed { tag, .. } => Some((*tag).to_owned()),
            Problem::SizeLimit(entry) => Some(format!("the size limit in {}", shown(entry))),
            _ => None,
        });
        if !removed.is_empty() {
            let part = match self.record.percent {
                Some(percent) if percent < 100 && self.record.own_policy() != Policy::None => {
                    format!(
                        " Older receivers apply the policy to {percent}% of failing mail, newer \
                         ones to all of it."
                    )
                }
                _ => String::new(),
            };
            out.find(
                self.finding(&REMOVED)
                    .summary(format!(
                        "RFC 9989 has removed what the record at {name} still uses: {}.{part}",
                        removed.join(", ")
                    ))
                    .fix(format!(
                        "Remove it from the TXT record {name}; for a trial, t=y takes the place of \
                         pct=0."
                    )),
            );
        }
        if self.record.problems.contains(&Problem::PolicyNotFirst) {
            out.find(
                self.finding(&NOT_FIRST)
                    .summary(format!("In the record at {name} other tags stand in front of p."))
                    .fix(format!("Move the p tag to the place right after “v=DMARC1;” in {name}.")),
            );
        }
    }
}
