//! `web-pages`: see `pages.md`.

mod facts;
mod files;
mod judge;
mod legal;
mod look;
mod robots;
mod spec;
mod traces;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::facts::Facts;
use self::legal::Kind;
use super::site::Site;
use super::visit::home;
use super::walk::End;
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, LookCx, Schedule, Target,
    Unseen, Vantage,
};
use crate::probe::Probes;

/// What visitors and search engines find on the pages.
#[derive(Debug)]
pub struct Pages;

/// Options of `web-pages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Titles that the home page must not have, beside those of the usual templates.
    pub default_titles: Vec<String>,
    /// Whether the site sells something, so that a refund page is expected.
    pub refund_page: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { default_titles: Vec::new(), refund_page: true }
    }
}

/// The home page, the pages that it links to, and the files beside them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    home: Option<Facts>,
    end: End,
    pages: Vec<Facts>,
    /// Links that lead to no page.
    links: Bounded<Link>,
    links_tried: usize,
    legal: Vec<Legal>,
    /// Subjects that are treated at a linked page of somebody else.
    foreign_legal: Vec<Kind>,
    /// Usual addresses that were tried because no link names them.
    usual_asked: Vec<String>,
    robots: Option<Robots>,
    missing: Option<Missing>,
    icon: Option<Icon>,
    security: Option<SecurityTxt>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            home: None,
            end: End::Page { url: String::new(), status: 0 },
            pages: Vec::new(),
            links: Bounded::default(),
            links_tried: 0,
            legal: Vec::new(),
            foreign_legal: Vec::new(),
            usual_asked: Vec::new(),
            robots: None,
            missing: None,
            icon: None,
            security: None,
        }
    }
}

/// A link that leads to no page.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    url: String,
    /// The page that holds it.
    on: String,
    end: End,
}

/// A legal page, declared, linked or found at a usual address.
#[derive(Debug, Serialize, Deserialize)]
struct Legal {
    /// Its subject; absent for a declared one.
    kind: Option<Kind>,
    url: String,
    /// It is, to the byte, what a path that does not exist shows.
    same_as_missing: bool,
    end: End,
}

/// The robots.txt.
#[derive(Debug, Serialize, Deserialize)]
struct Robots {
    end: End,
    /// The rule that keeps everybody, or Google, from the home page.
    blocks_home: Option<robots::Block>,
}

/// A path that does not exist.
#[derive(Debug, Serialize, Deserialize)]
struct Missing {
    url: String,
    shell: bool,
    end: End,
}

/// The icon of the site.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Icon {
    url: String,
    /// The page names it; else it is `/favicon.ico`.
    named: bool,
    is_picture: bool,
    /// The template that it comes from.
    of_template: Option<String>,
    /// Absent when it lies elsewhere or in the page itself.
    end: Option<End>,
}

/// The address for reports of security holes.
#[derive(Debug, Serialize, Deserialize)]
struct SecurityTxt {
    has_contact: bool,
    end: End,
}

impl Check for Pages {
    const META: CheckMeta = CheckMeta {
        id: "web-pages",
        area: Area::Web,
        title: "Pages",
        vantage: Vantage::Outside,
        findings: spec::ALL,
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(5),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../pages.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let site = Site::of(target);
        let http = &*probes.http;
        let home = home(http, &site).await;
        if let End::NotSeen { fault, .. } = home.walk.end {
            return Err(fault.into());
        }
        Ok((look::look(http, &site, target, &home).await, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let site = Site::of(cx.target);
        let Some(home) = &evidence.home else {
            let (reason, unlock) = evidence.end.unread().unwrap_or_else(|| {
                (
                    format!("{} answers without HTML", evidence.end.url()),
                    "set domain to the name that shows the site".to_owned(),
                )
            });
            let part = format!("the pages of {}", site.apex);
            out.not_checked(Unseen::Condition, part, reason, unlock);
            out.unless_seen(false);
            return out;
        };
        judge::judge(evidence, home, &site, cx.options, &mut out);
        files::judge(evidence, home, cx.options, &mut out);
        out
    }
}
