//! What the numbers of a page mean.

use super::{
    BLOCKED, BLOCKED_SECONDS, Evidence, INTERACTION, INTERACTION_SECONDS, Options, PAINT,
    PAINT_SECONDS, PERFORMANCE, PageLook, SCORE, SHIFT, SHIFT_VALUE,
};
use crate::contract::{Age, Assessment, Finding, FindingSpec, Severity, Unseen};
use crate::probe::{FieldSpeed, LabSpeed, Seen};

/// Judges every page.
pub(super) fn judge(evidence: &Evidence, options: &Options) -> Assessment {
    let mut out = Assessment::default();
    let mut saw_any = false;
    for (page, seen) in &evidence.pages {
        match seen {
            Seen::Ok(look) => saw_any |= of_page(&mut out, page, look, options),
            Seen::Target(fault) => {
                let unlock = "run it again once the service answers";
                out.not_checked(Unseen::Condition, speed_of(page), fault.to_string(), unlock);
            }
            Seen::Agent(fault) => {
                out.not_checked(
                    Unseen::Condition,
                    speed_of(page),
                    fault.to_string(),
                    fault.unlock(),
                );
            }
        }
    }
    out.unless_seen(saw_any);
    out
}

fn speed_of(page: &str) -> String {
    format!("the speed of {page}")
}

fn of_page(out: &mut Assessment, page: &str, look: &PageLook, options: &Options) -> bool {
    let mut saw = false;
    match &look.lab {
        Ok(lab) => {
            of_lab(out, page, look, lab, options);
            saw = true;
        }
        Err(reason) => {
            let unlock = "open the page in a browser, and run the check again once it loads";
            out.not_checked(Unseen::Condition, speed_of(page), reason.clone(), unlock);
        }
    }
    if let Some(reason) = &look.no_service {
        let unlock = "see [project.pagespeed] in the config";
        out.not_checked(Unseen::Noted, visitors_of(page), reason.clone(), unlock);
    }
    match &look.field {
        Some(field) => saw |= of_field(out, page, field, options),
        // Nobody but the service knows about visitors.
        None if look.local => {}
        None => {
            let reason = "too few visitors of Chrome in the last 28 days";
            let unlock = "wait for visitors; until then the load in a browser alone counts";
            out.not_checked(Unseen::Noted, visitors_of(page), reason, unlock);
        }
    }
    saw
}

fn visitors_of(page: &str) -> String {
    format!("what real visitors of {page} see")
}

fn of_lab(out: &mut Assessment, page: &str, look: &PageLook, lab: &LabSpeed, options: &Options) {
    let start = |spec: &FindingSpec, bad: bool| {
        let severity = if bad { Severity::Critical } else { Severity::Warning };
        seen_by(spec.finding(page).at(severity), look, lab)
    };
    let (warning, critical) =
        (f64::from(options.performance_warning), f64::from(options.performance_critical));
    out.measure(SCORE.value(Some(page), lab.performance).bounds(Some(warning), Some(critical)));
    if lab.performance < warning {
        let found = start(&PERFORMANCE, lab.performance < critical)
            .summary(format!(
                "{page} has a performance of {} of 100, and should have {warning}.",
                lab.performance
            ))
            .fix(
                "Open the page on pagespeed.web.dev and begin with the first entry under Diagnose \
                 performance issues, which saves the most: usually pictures that are too large, scripts \
                 of others, and scripts that are not needed on this page.",
            );
        out.find(found);
    }
    let paint = lab.paint_ms / 1000.0;
    let (warning, critical) = (options.paint_warning.seconds(), options.paint_critical.seconds());
    out.measure(PAINT_SECONDS.value(Some(page), paint).bounds(Some(warning), Some(critical)));
    if paint > warning {
        let found = start(&PAINT, paint > critical)
            .summary(late(page, "shows its largest content after", paint, options.paint_warning))
            .fix(
                "Send the largest picture in WebP or AVIF and in the size in which it is shown, with \
                 fetchpriority=\"high\" and without loading=\"lazy\"; let no script or font be needed \
                 before it.",
            );
        out.find(found);
    }
    let blocked = lab.blocked_ms / 1000.0;
    let warning = options.blocked_warning;
    out.measure(BLOCKED_SECONDS.value(Some(page), blocked).bounds(Some(warning.seconds()), None));
    if blocked > warning.seconds() {
        let found = start(&BLOCKED, false)
            .summary(late(page, "is blocked by scripts for", blocked, warning))
            .fix(
                "Load scripts of others (chat, analytics, A/B tests) with defer or after the first \
                 interaction, remove those that nobody needs, and split your own script by page.",
            );
        out.find(found);
    }
    out.measure(SHIFT_VALUE.value(Some(page), lab.shift).bounds(Some(options.shift_warning), None));
    if lab.shift > options.shift_warning {
        let found = start(&SHIFT, false)
            .summary(format!(
                "{page} moves by {:.3} while it loads, and should by {} at most.",
                lab.shift, options.shift_warning
            ))
            .fix(
                "Give every picture, video and frame its width and height, keep room for banners and \
                 notices, and load fonts with font-display: optional.",
            );
        out.find(found);
    }
}

/// What the visitors of the service saw; whether it knows anything.
fn of_field(out: &mut Assessment, page: &str, field: &FieldSpeed, options: &Options) -> bool {
    let Some(interaction) = field.interaction_ms else { return field.paint_ms.is_some() };
    let (seconds, warning) = (interaction / 1000.0, options.interaction_warning);
    let bound = Some(warning.seconds());
    out.measure(INTERACTION_SECONDS.value(Some(page), seconds).bounds(bound, None));
    if seconds > warning.seconds() {
        let of = if field.of_host { "the whole host" } else { "this page" };
        let found = INTERACTION
            .finding(page)
            .summary(late(page, "answers an interaction after", seconds, warning))
            .saw(format!("interaction to next paint {interaction} ms at the 75th percentile, of {of}"))
            .saw_all(field.paint_ms.map(|ms| format!("largest contentful paint {ms} ms there")))
            .saw_all(field.shift.map(|shift| format!("layout shift {shift} there")))
            .fix(
                "Open the page in Chrome with DevTools, Performance, click what visitors click, and \
                 shorten the scripts that run then: show the result first, and do the rest later.",
            );
        out.find(undone(found));
    }
    true
}

fn late(page: &str, verb: &str, seconds: f64, most: Age) -> String {
    format!(
        "{page} {verb} {:.0} ms, and should within {:.0} ms.",
        seconds * 1000.0,
        most.seconds() * 1000.0
    )
}

fn seen_by(finding: Finding, look: &PageLook, lab: &LabSpeed) -> Finding {
    let by = if look.local { "Lighthouse of this machine" } else { "PageSpeed Insights" };
    let loads = match look.runs {
        1 => "one load".to_owned(),
        runs => format!("the median of {runs} loads"),
    };
    let finding = finding
        .saw(format!("{by} {}, a phone, {loads}", lab.version))
        .saw(format!(
            "performance {}, largest contentful paint {:.0} ms, total blocking time {:.0} ms, layout shift {:.3}",
            lab.performance, lab.paint_ms, lab.blocked_ms, lab.shift
        ));
    undone(finding)
}

fn undone(finding: Finding) -> Finding {
    finding.undo("Publish the build before the change again.")
}
