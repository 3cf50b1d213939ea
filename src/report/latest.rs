//! The report of a project as the agent last saw it. Pure: the same rows give the same report.

use jiff::Timestamp;
use launchready_checks::contract::{CheckMeta, Goal, Status};
use launchready_checks::registry;

use super::build::{at_risk, blind_areas, left_out, unseen_areas, unseen_parts};
use super::handover::{as_at, repeats_later};
use super::waivers::Accepted;
use super::{CheckReport, Coverage, FindingReport, NotCheckedReport, Report, Tool, decide, rules};
use crate::incident::{Incident, State, Waiver};
use crate::store::LatestRun;

/// What is known of one project: facts of the config, and rows of the store.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Its domain.
    pub domain: &'a str,
    /// What it has to be ready for.
    pub goal: Goal,
    /// Parts that are configured, or that the product does not have.
    pub settled: &'a [String],
    /// Parts that the product does not have.
    pub not_used: &'a [String],
    /// The command that looks again; `{id}` stands for the check.
    pub recheck: &'a str,
    /// The latest run of each of its jobs.
    pub latest: &'a [LatestRun],
    /// Incidents; those of others and resolved ones are passed over.
    pub incidents: &'a [Incident],
    /// Waivers; those of other projects are passed over.
    pub waivers: &'a [Waiver],
    /// The present time, at which waivers hold or have expired.
    pub now: Timestamp,
}

/// The report of what the agent last saw.
///
/// A finding has been there since its incident saw it first. A waiver that holds marks what it accepts,
/// and one that has expired or accepts nothing is listed among what was not checked.
pub fn from_latest(standing: &Standing<'_>) -> Report {
    let mut accepted = Accepted::new(standing.waivers, standing.project, standing.now);
    let goal = rules(standing.goal);
    let mut checks = Vec::new();
    let mut not_checked = Vec::new();
    for plugin in registry::ALL {
        let run = standing
            .latest
            .iter()
            .find(|run| run.key.project == standing.project && run.key.check == plugin.meta.id);
        let Some(run) = run else { continue };
        let mut check = standing.check(run, plugin.meta);
        goal.judge(&mut check);
        accepted.mark(&mut check);
        let parts = goal.weigh(&check, standing.not_used, unseen_parts(&check, plugin.meta));
        not_checked.extend(parts.into_iter().map(|part| accepted.part(part)));
        checks.push(check);
    }
    repeats_later(&mut checks, standing.recheck);
    let settled: Vec<&str> = standing.settled.iter().map(String::as_str).collect();
    not_checked.extend(
        unseen_areas(&settled)
            .into_iter()
            .chain(blind_areas(&settled, standing.not_used, &checks))
            .chain(left_out(
                &checks,
                "agent",
                "the agent does not run them for this project",
                "take enabled = false out of their tables in the config",
            ))
            .chain(goal.missing(&checks, standing.not_used))
            .map(|part| accepted.part(part)),
    );
    let (verdict, verdict_reasons) = decide(standing.goal, &checks, &not_checked);
    not_checked.extend(accepted.idle());
    let looks = || standing.latest.iter().filter_map(|run| run.at);
    Report {
        schema_version: 1,
        tool: Tool {
            name: "launchready".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        project: standing.project.to_owned(),
        domain: standing.domain.to_owned(),
        config: None,
        goal: standing.goal,
        verdict,
        verdict_reasons,
        started_at: looks().min().unwrap_or(standing.now),
        finished_at: looks().max().unwrap_or(standing.now),
        coverage: Coverage::of(&checks),
        money_at_risk: at_risk(&checks),
        checks,
        ownership: Vec::new(),
        attestations: Vec::new(),
        waivers: accepted.all(),
        handover: None,
        not_checked,
    }
}

impl Standing<'_> {
    fn check(&self, run: &LatestRun, meta: &'static CheckMeta) -> CheckReport {
        let recheck = self.recheck.replacen("{id}", meta.id, 1);
        let (reason, unlock) = match (&run.reason, run.at) {
            (Some((reason, unlock)), Some(_)) => (Some(reason.clone()), Some(unlock.clone())),
            (None, Some(_)) => (None, None),
            (_, None) => (
                Some("it has not run yet".to_owned()),
                Some(format!("wait until {}", run.next_due.strftime("%Y-%m-%d %H:%M UTC"))),
            ),
        };
        let findings = run.assessment.findings.iter().map(|finding| {
            let mut finding = FindingReport::new(finding.clone(), recheck.clone());
            finding.since = self.since(meta.id, &finding);
            finding
        });
        let parts = run.assessment.not_checked.iter().map(|part| NotCheckedReport {
            part: part.part.clone(),
            reason: part.reason.clone(),
            unlock: part.unlock.clone(),
            unseen: part.unseen,
        });
        CheckReport {
            id: meta.id.to_owned(),
            title: meta.title.to_owned(),
            area: meta.area.as_str().to_owned(),
            target: run.target.clone(),
            vantage: meta.vantage,
            status: if run.at.is_some() { run.status } else { Status::Unknown },
            reason,
            unlock: unlock.filter(|unlock| !unlock.is_empty()),
            evidence_sha256: None,
            duration_ms: u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX),
            measurements: as_at(&run.assessment.measurements, run.at, self.latest),
            not_checked: parts.collect(),
            findings: findings.collect(),
        }
    }

    /// When the incident of a finding saw it first.
    fn since(&self, check: &str, finding: &FindingReport) -> Option<Timestamp> {
        let mine = |incident: &&Incident| {
            incident.state != State::Resolved
                && incident.key.project == self.project
                && incident.key.check == check
                && incident.key.code == finding.code
        };
        let mut mine = self.incidents.iter().filter(mine);
        mine.find_map(|incident| incident.members.get(&finding.fingerprint))
            .map(|member| member.first_seen)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use launchready_checks::contract::{Assessment, Severity};

    use super::*;
    use crate::incident::{IncidentKey, Member};
    use crate::report::Verdict;
    use crate::store::JobKey;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-11-22T08:00:00Z";
    const NOTHING_ELSE: [&str; 6] =
        ["stripe", "supabase", "database", "crm", "support", "automation"];

    fn run(check: &str, codes: &[(&str, &str)]) -> LatestRun {
        let mut assessment = Assessment::default();
        for (code, subject) in codes {
            let (_, spec) = registry::find_code(code).unwrap();
            assessment.find(spec.finding(*subject));
        }
        LatestRun {
            key: JobKey { project: "harbor".to_owned(), check: check.to_owned() },
            target: "harbor.example".to_owned(),
            at: Some(at("2026-11-22T07:55:00Z")),
            duration: Duration::from_millis(120),
            status: assessment.status(),
            since: None,
            reason: None,
            assessment,
            next_due: at("2026-11-22T08:05:00Z"),
        }
    }

    /// Every check as it passes, but for those that are given.
    fn all_but(given: Vec<LatestRun>) -> Vec<LatestRun> {
        let others = registry::ALL.iter().map(|plugin| plugin.meta.id);
        let others: Vec<_> =
            others.filter(|id| given.iter().all(|run| run.key.check != **id)).collect();
        given.into_iter().chain(others.into_iter().map(|id| run(id, &[]))).collect()
    }

    fn waiver(code: &str, subject: Option<&str>, until: &str) -> Waiver {
        Waiver {
            id: format!("wav_{code}"),
            project: "harbor".to_owned(),
            code: code.to_owned(),
            subject: subject.map(str::to_owned),
            by: "Ada".to_owned(),
            reason: "moves in May".to_owned(),
            at: at("2026-11-01T00:00:00Z"),
            until: at(until),
            last_used: None,
        }
    }

    fn standing<'a>(latest: &'a [LatestRun], waivers: &'a [Waiver]) -> Standing<'a> {
        Standing {
            project: "harbor",
            domain: "harbor.example",
            goal: Goal::Launch,
            settled: &[],
            not_used: &[],
            recheck: "launchready check {id} --config config.toml --project harbor",
            latest,
            incidents: &[],
            waivers,
            now: at(NOW),
        }
    }

    #[test]
    fn a_waiver_takes_a_finding_out_of_the_verdict_until_it_expires() {
        let latest = all_but(vec![run("mail-spf", &[("spf-multiple", "harbor.example")])]);
        let settled = NOTHING_ELSE.map(str::to_owned);
        let judge = |waivers: &[Waiver]| {
            from_latest(&Standing { settled: &settled, ..standing(&latest, waivers) })
        };
        assert_eq!(judge(&[]).verdict, Verdict::NoGo);
        let holds = [waiver("spf-multiple", Some("harbor.example"), "2027-01-01T00:00:00Z")];
        let report = judge(&holds);
        assert_eq!(report.verdict, Verdict::Go, "{:?}", report.verdict_reasons);
        let finding = &report.findings()[0].1.clone();
        assert_eq!(finding.waived.as_ref().unwrap().by, "Ada");
        assert!(finding.recheck.starts_with("launchready check mail-spf --config"));

        let report = judge(&[waiver("spf-multiple", None, NOW)]);
        assert_eq!(report.verdict, Verdict::NoGo, "one that ends now holds no longer");
        let idle = report.not_checked.iter().find(|part| part.of == "waiver").unwrap();
        assert!(idle.reason.contains("expired on 2026-11-22"), "{idle:?}");

        let other = [waiver("spf-multiple", Some("other.example"), "2027-01-01T00:00:00Z")];
        let report = judge(&other);
        assert_eq!(report.verdict, Verdict::NoGo);
        assert!(report.not_checked.iter().any(|part| part.reason.contains("accepts nothing")));
    }

    #[test]
    fn a_goal_changes_the_verdict_as_documented() {
        let settled = NOTHING_ELSE.map(str::to_owned);
        let verdict = |latest: &[LatestRun], waivers: &[Waiver], goal| {
            let standing = standing(latest, waivers);
            from_latest(&Standing { settled: &settled, goal, ..standing })
        };
        let (launch, paid, handover) = (Goal::Launch, Goal::PaidTraffic, Goal::Handover);
        for (check, code, raised_by) in [
            ("web-redirects", "redirect-chain", paid),
            ("web-speed", "page-paint-late", paid),
            ("web-pages", "link-broken", paid),
            ("dns-drift", "dns-record-changed", handover),
            ("domain-registration", "registration-transfer-unlocked", handover),
            ("ops-attestation", "attestation-missing", handover),
        ] {
            let latest = all_but(vec![run(check, &[(code, "harbor.example")])]);
            for goal in [launch, paid, handover] {
                let report = verdict(&latest, &[], goal);
                let (wanted, severity, status) = if goal == raised_by {
                    (Verdict::NoGo, Severity::Critical, Status::Fail)
                } else {
                    (Verdict::GoWithConditions, Severity::Warning, Status::Warn)
                };
                let (check, finding) = report.findings()[0];
                assert_eq!(report.verdict, wanted, "{code} for {goal:?}");
                assert_eq!((finding.severity, check.status), (severity, status), "{code}");
                let failed = usize::from(status == Status::Fail);
                assert_eq!((report.coverage.failed, report.coverage.warned), (failed, 1 - failed));
                let accepted = [waiver(code, None, "2027-01-01T00:00:00Z")];
                assert_eq!(verdict(&latest, &accepted, goal).verdict, Verdict::Go, "{code}");
            }
        }
        let remark = run("web-redirects", &[("redirect-temporary", "harbor.example")]);
        assert_eq!(verdict(&all_but(vec![remark]), &[], paid).verdict, Verdict::Go);
        let report = verdict(
            &all_but(vec![run("web-redirects", &[("redirect-chain", "harbor.example")])]),
            &[],
            paid,
        );
        assert_eq!(report.verdict_reasons[0], "1 critical finding blocks paid traffic.");
    }

    #[test]
    fn what_a_goal_has_to_have_proven_blocks_when_nobody_looked() {
        let settled = NOTHING_ELSE.map(str::to_owned);
        let not_used = ["stripe".to_owned()];
        let skipped = |check: &str| {
            let mut run = run(check, &[]);
            run.status = Status::Skipped;
            run.reason = Some(("it is not configured".to_owned(), "configure it".to_owned()));
            all_but(vec![run])
        };
        for (check, goal) in [
            ("web-speed", Goal::PaidTraffic),
            ("stripe-webhooks", Goal::PaidTraffic),
            ("dns-drift", Goal::Handover),
            ("ops-attestation", Goal::Handover),
        ] {
            let latest = skipped(check);
            for asked in [Goal::Launch, Goal::PaidTraffic, Goal::Handover] {
                let standing = standing(&latest, &[]);
                let standing = Standing { settled: &settled, goal: asked, ..standing };
                let wanted = if asked == goal { Verdict::NoGo } else { Verdict::Go };
                assert_eq!(from_latest(&standing).verdict, wanted, "{check} for {asked:?}");
                let without = from_latest(&Standing { not_used: &not_used, ..standing });
                let wanted = if check == "stripe-webhooks" { Verdict::Go } else { wanted };
                assert_eq!(without.verdict, wanted, "{check} for {asked:?} without Stripe");
            }
        }
        let mut latest = all_but(Vec::new());
        latest.retain(|run| run.key.check != "web-speed");
        let standing = Standing { settled: &settled, ..standing(&latest, &[]) };
        assert_eq!(from_latest(&standing).verdict, Verdict::GoWithConditions);
        let paid = from_latest(&Standing { goal: Goal::PaidTraffic, ..standing });
        assert_eq!(paid.verdict, Verdict::NoGo, "{:?}", paid.verdict_reasons);
    }

    #[test]
    fn what_was_not_seen_can_be_accepted_by_the_name_of_its_check_or_area() {
        let mut blind = run("mail-spf", &[]);
        blind.status = Status::Unknown;
        blind.reason = Some(("no network".to_owned(), "connect".to_owned()));
        let latest = all_but(vec![blind]);
        let report = from_latest(&standing(&latest, &[]));
        assert_eq!(report.verdict, Verdict::NoGo, "{:?}", report.verdict_reasons);
        let until = "2027-01-01T00:00:00Z";
        let mut waivers: Vec<_> =
            NOTHING_ELSE.iter().map(|area| waiver(area, None, until)).collect();
        waivers.push(waiver("mail-spf", None, until));
        let report = from_latest(&standing(&latest, &waivers));
        assert_eq!(report.verdict, Verdict::Go, "{:?}", report.verdict_reasons);
        assert!(report.not_checked.iter().all(|part| part.reason.contains("accepted by Ada")));
    }

    #[test]
    fn a_job_that_has_not_run_is_unknown_and_one_that_is_missing_is_said() {
        let mut first = run("mail-spf", &[]);
        first.at = None;
        let latest = [first];
        let report = from_latest(&standing(&latest, &[]));
        assert_eq!(report.coverage.unknown, 1);
        assert_eq!(report.checks[0].reason.as_deref(), Some("it has not run yet"));
        assert_eq!(report.verdict, Verdict::NoGo);
        let left = report.not_checked.iter().find(|part| part.of == "agent").unwrap();
        assert!(left.part.contains(&format!("{} of", registry::ALL.len() - 1)), "{left:?}");
    }

    #[test]
    fn a_finding_has_been_there_since_its_incident_saw_it() {
        let latest = [run("mail-spf", &[("spf-multiple", "harbor.example")])];
        let finding = latest[0].assessment.findings[0].clone();
        let seen = at("2026-11-20T01:02:03Z");
        let member = Member {
            subject: finding.subject.clone(),
            summary: finding.summary.clone(),
            evidence: Vec::new(),
            fix: String::new(),
            undo: String::new(),
            first_seen: seen,
            last_seen: seen,
            told: true,
        };
        let key = IncidentKey {
            project: "harbor".to_owned(),
            check: "mail-spf".to_owned(),
            code: finding.code.clone(),
            target: "harbor.example".to_owned(),
        };
        let mut incident = Incident::begin(key, seen);
        incident.state = State::Open;
        incident.members.insert(finding.fingerprint.clone(), member);
        let since = |incident: &Incident| {
            let incidents = [incident.clone()];
            let report = from_latest(&Standing { incidents: &incidents, ..standing(&latest, &[]) });
            report.findings()[0].1.since
        };
        assert_eq!(since(&incident), Some(seen));
        incident.state = State::Resolved;
        assert_eq!(since(&incident), None);
    }
}
