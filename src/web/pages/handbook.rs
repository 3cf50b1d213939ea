//! `/checks` and `/checks/ID`: the handbook.

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use axum::response::Response;
use launchready_checks::contract::{Area, CheckMeta};
use launchready_checks::registry;

use super::frame::Frame;
use crate::handbook::Doc;
use crate::web::fault::Fault;
use crate::web::guard::Caller;
use crate::web::show;

#[derive(Template)]
#[template(path = "web/handbook.html")]
struct List {
    frame: Frame,
    areas: Vec<(&'static str, Vec<&'static CheckMeta>)>,
}

#[derive(Template)]
#[template(path = "web/handbook_page.html")]
struct Page {
    frame: Frame,
    meta: &'static CheckMeta,
    doc: Doc,
}

pub(in crate::web) async fn handbook(
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    let areas = Area::ALL.into_iter().map(|area| {
        let mine = registry::ALL.iter().map(|plugin| plugin.meta);
        (area.title(), mine.filter(|meta| meta.area == area).collect())
    });
    let frame = Frame::new("Handbook", "checks", &caller);
    Ok(show::answer(show::draw(&List { frame, areas: areas.collect() })?))
}

pub(in crate::web) async fn handbook_page(
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let plugin = registry::find(&id).or_else(|| registry::find_code(&id).map(|(plugin, _)| plugin));
    let Some(plugin) = plugin else {
        return Err(Fault::missing(
            "There is no check of that name.",
            "Choose one from the list at /checks.",
        ));
    };
    let meta = plugin.meta;
    let frame = Frame::new(meta.title, "checks", &caller);
    Ok(show::answer(show::draw(&Page { frame, meta, doc: Doc::new(meta.doc) })?))
}
