//! Has one page measured: by a Lighthouse of this machine, by the service, or by both.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Options;
use crate::contract::{CheckError, Target};
use crate::probe::{
    AgentFault, Command, CommandCall, CommandEnd, FieldSpeed, LabSpeed, ProbeError, Speed,
    lighthouse_report,
};

/// The most pages of one run.
const PAGES: usize = 4;
/// How long one run of the program may take, in milliseconds.
const RUN_MS: u64 = 60_000;
/// The report of Lighthouse has pictures in it and takes about a mebibyte.
const REPORT: usize = 16 * 1024 * 1024;
/// The most characters of what the program complains.
const WORDS: usize = 200;

/// What one page was like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PageLook {
    /// The load in a browser, or why there was none.
    pub(super) lab: Result<LabSpeed, String>,
    /// The loads whose median it is.
    pub(super) runs: usize,
    /// A Lighthouse of this machine made them.
    pub(super) local: bool,
    /// Real visitors, where the service was asked and knows enough of them.
    pub(super) field: Option<FieldSpeed>,
    /// Why the service said nothing, where a local program measured without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) no_service: Option<String>,
}

/// The pages as full URLs.
pub(super) fn pages(options: &Options, target: &Target) -> Result<Vec<String>, CheckError> {
    let home = format!("https://{}/", target.domain);
    if options.pages.is_empty() {
        return Ok(vec![home]);
    }
    let wrong = |text: String| {
        CheckError::unknown(text, "correct pages under [project.checks.web-speed] in the config")
    };
    if options.pages.len() > PAGES {
        return Err(wrong(format!("pages names more than {PAGES} pages")));
    }
    let home = url::Url::parse(&home).map_err(|_error| wrong(format!("{home} is no address")))?;
    let full = options.pages.iter().map(|page| {
        let url = home.join(page).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map(String::from).ok_or_else(|| wrong(format!("{page:?} is no path and no URL")))
    });
    full.collect()
}

/// Has a page measured.
pub(super) async fn look_at(
    page: &str,
    options: &Options,
    service: Option<&dyn Speed>,
    command: &dyn Command,
) -> Result<PageLook, ProbeError> {
    let Some(program) = &options.lighthouse else {
        let Some(service) = service else {
            return Err(AgentFault::Bug("nothing to measure with".to_owned()).into());
        };
        let speed = service.page(page.to_owned()).await?;
        let runs = usize::from(speed.lab.is_ok());
        return Ok(PageLook {
            lab: speed.lab,
            runs,
            local: false,
            field: speed.field,
            no_service: None,
        });
    };
    let mut loads = Vec::new();
    let mut failed = String::new();
    for _ in 0..options.runs.clamp(1, 5) {
        match load(page, program, options, command).await? {
            Ok(load) => loads.push(load),
            Err(why) => failed = why,
        }
    }
    let runs = loads.len();
    let (field, no_service) = match service {
        None => (None, None),
        Some(service) => match service.page(page.to_owned()).await {
            Ok(speed) => (speed.field, None),
            Err(error) => (None, Some(error.to_string())),
        },
    };
    // Most of the loads have to succeed: the median of one lucky load is none.
    let enough = runs * 2 > usize::from(options.runs.clamp(1, 5));
    let lab = if enough { median(&loads).ok_or(failed) } else { Err(failed) };
    Ok(PageLook { lab, runs, local: true, field, no_service })
}

/// One load by the program; the inner error is about the page.
async fn load(
    page: &str,
    program: &str,
    options: &Options,
    command: &dyn Command,
) -> Result<Result<LabSpeed, String>, ProbeError> {
    let mut flags = "--headless=new --disable-dev-shm-usage".to_owned();
    if !options.sandbox {
        flags.push_str(" --no-sandbox");
    }
    let words = [
        program,
        page,
        "--output=json",
        "--output-path=stdout",
        "--quiet",
        "--only-categories=performance",
        &format!("--chrome-flags={flags}"),
    ];
    let mut call = CommandCall::new(words.map(str::to_owned).to_vec(), RUN_MS);
    call.max_output = REPORT;
    if let Some(path) = &options.chromium {
        call.environment.push(("CHROME_PATH".to_owned(), path.clone()));
    }
    let answer = command.run(call).await?;
    let report = serde_json::from_str::<Value>(&answer.stdout);
    match (answer.end, report) {
        // Chromium leaves helpers that end by themselves a moment later.
        (CommandEnd::Exited(_) | CommandEnd::LeftBehind(_), Ok(report)) => {
            Ok(lighthouse_report(&report))
        }
        (CommandEnd::TimedOut, _) => {
            Ok(Err(format!("Lighthouse did not end within {} s", RUN_MS / 1000)))
        }
        (end, _) => {
            let complaint = answer.stderr.lines().rfind(|line| !line.trim().is_empty());
            let complaint: String = complaint.unwrap_or("nothing").chars().take(WORDS).collect();
            let what = format!("{program} gives no report ({end:?}) and says: {complaint}");
            Err(AgentFault::Misconfigured(what).into())
        }
    }
}

/// The median of each number by itself; of an even number of loads the worse of the two in the middle.
fn median(loads: &[LabSpeed]) -> Option<LabSpeed> {
    let middle = |number: fn(&LabSpeed) -> f64, place: usize| {
        let mut numbers: Vec<_> = loads.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(place).copied()
    };
    let upper = loads.len() / 2;
    let lower = loads.len().saturating_sub(1) / 2;
    let version = loads.first()?.version.clone();
    Some(LabSpeed {
        version,
        performance: middle(|load| load.performance, lower)?,
        paint_ms: middle(|load| load.paint_ms, upper)?,
        blocked_ms: middle(|load| load.blocked_ms, upper)?,
        shift: middle(|load| load.shift, upper)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(n: f64) -> LabSpeed {
        LabSpeed {
            version: "13".to_owned(),
            performance: n,
            paint_ms: n,
            blocked_ms: 100.0 - n,
            shift: n,
        }
    }

    #[test]
    fn one_slow_load_of_three_does_not_count() {
        let found = median(&[90.0, 10.0, 80.0].map(load)).unwrap();
        assert_eq!((found.performance, found.blocked_ms), (80.0, 20.0));
        let found = median(&[90.0, 80.0].map(load)).unwrap();
        assert_eq!((found.performance, found.paint_ms), (80.0, 90.0), "the worse of two");
        assert_eq!(median(&[]), None);
    }
}
