//! `/projects/NAME/handover`: the report that is signed, drawn from what is stored.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::report::{self, Report};
use crate::web::fault::Fault;
use crate::web::route::Web;
use crate::web::show::{self, Segment};
use crate::web::standing;

/// Whether it is to be shared.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Shared {
    /// With any value names become placeholders: a typing error must not show them.
    redact: Option<String>,
}

/// The page, which prints to a document that can be signed.
pub(in crate::web) async fn handover(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    Query(Shared { redact }): Query<Shared>,
) -> Result<Response, Fault> {
    let report = read(&web, &name).await?;
    let html = if redact.is_some() {
        // A link would name the project in what is saved or printed.
        report::to_html(&report::redact(&report))
    } else {
        let page = format!("/projects/{}", Segment(&name));
        let links = [
            (page.clone(), "Back to the project"),
            (format!("{page}/handover.md"), "As Markdown"),
            (format!("{page}/handover?redact=1"), "To share, without names"),
            (format!("{page}/handover.md?redact=1"), "As Markdown, without names"),
        ];
        report::to_page(&report, &links)
    };
    let policy = policy(&html)?;
    Ok(([(CONTENT_SECURITY_POLICY, policy)], show::answer(html)).into_response())
}

/// The same as a Markdown file.
pub(in crate::web) async fn handover_file(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    Query(Shared { redact }): Query<Shared>,
) -> Result<Response, Fault> {
    let mut report = read(&web, &name).await?;
    let mut file = "handover.md".to_owned();
    if redact.is_some() {
        report = report::redact(&report);
    } else {
        file = format!("{}-{file}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    }
    let headers = [
        (CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, report::to_markdown(&report)).into_response())
}

async fn read(web: &Web, name: &str) -> Result<Report, Fault> {
    let site = &*web.site;
    let facts = site.facts();
    let project = standing::project(&facts, name)?;
    let report = standing::known(site, project).await?.report;
    let handover = (*project.handover).clone().remembered(&*site.store, name).await?;
    Ok(report::with_handover(report, handover, &project.signed, site.clock.now()))
}

/// Allows the one style that stands in the page, by its hash, and nothing else.
fn policy(html: &str) -> Result<HeaderValue, Fault> {
    let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let hash = STANDARD.encode(Sha256::digest(style.map_or("", |(style, _)| style)));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let fault = |_not_a_header| Fault::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    policy.parse().map_err(fault)
}
