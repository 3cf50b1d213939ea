//! `/login` and `/logout`.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Done, Frame, after};
use crate::clock::pause;
use crate::web::fault::Fault;
use crate::web::forms::{Filled, Plain};
use crate::web::guard::{self, Caller, Told, Who};
use crate::web::limits::Guesser;
use crate::web::route::Web;
use crate::web::session;
use crate::web::show;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "web/login.html")]
struct Page<'a> {
    frame: Frame,
    next: &'a str,
    wrong: bool,
    has_password: bool,
}

/// A place on this site to go to after signing in; anything else leads to the overview.
fn place(next: &str) -> &str {
    let mut chars = next.chars();
    let is_path = chars.next() == Some('/') && !matches!(chars.next(), Some('/' | '\\'));
    let is_plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_path && is_plain { next } else { "/" }
}

fn form(web: &Web, frame: Frame, next: &str, wrong: bool) -> Result<Response, Fault> {
    let has_password = web.site.facts().password.is_some();
    let html = show::draw(&Page { frame, next: place(next), wrong, has_password })?;
    let mut response = show::answer(html);
    if wrong {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.extensions_mut().insert(Told);
    }
    Ok(response)
}

pub(in crate::web) async fn login(
    State(web): State<Arc<Web>>,
    Query(wanted): Query<Wanted>,
    Query(done): Query<Done>,
) -> Result<Response, Fault> {
    form(&web, Frame::outside("Sign in").done(&done), &wanted.next, false)
}

/// Signs in. A right and a wrong password take the same steps until the answer.
pub(in crate::web) async fn sign_in(
    State(web): State<Arc<Web>>,
    request: Request,
) -> Result<Response, Fault> {
    let (facts, now) = (web.site.facts(), web.site.clock.now());
    let (parts, body) = request.into_parts();
    let guesser = guesser(&web, &parts, now).await?;
    let request = Request::from_parts(parts, body);
    let slow = web.logins.count(&guesser, now).map_err(Fault::too_often)?;
    if !slow.is_zero() {
        pause(&*web.site.clock, slow).await;
    }
    let Plain(sent) = Plain::from_request(request, &()).await?;
    let Some(password) = &facts.password else {
        return form(&web, Frame::outside("Sign in"), sent.text("next"), true);
    };
    let key = guard::key(&web).await?;
    let begun = key.begin(password, now);
    let is_right = session::same(password.expose(), sent.text("password"));
    let Some((_, cookie)) = begun.filter(|_| is_right) else {
        return form(&web, Frame::outside("Sign in"), sent.text("next"), true);
    };
    web.logins.right(&guesser);
    let mut response = Redirect::to(place(sent.text("next"))).into_response();
    if let Some(known) = key.introduce(password, now) {
        set(&mut response, &session::set_known(&facts, &known));
    }
    set(&mut response, &session::set_cookie(&facts, &cookie));
    Ok(response)
}

/// Who tries to sign in: a browser that has done so before, or somebody at an address.
async fn guesser(web: &Web, request: &Parts, now: Timestamp) -> Result<Guesser, Fault> {
    let facts = web.site.facts();
    let cookie = session::known_cookie(&facts, &request.headers);
    if let (Some(cookie), Some(password)) = (cookie, &facts.password)
        && let Some(known) = guard::key(web).await?.known(cookie, password, now)
    {
        return Ok(Guesser::Known(known));
    }
    Ok(Guesser::at(guard::address(request)))
}

pub(in crate::web) async fn sign_out(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    _form: Filled,
) -> Result<Response, Fault> {
    let site = &*web.site;
    if let Who::Session(session) = &caller.who {
        session::end(&*site.store, session, site.clock.now()).await?;
    }
    let mut response = after("/login", "signed-out");
    set(&mut response, &session::set_cookie(&site.facts(), ""));
    Ok(response)
}

fn set(response: &mut Response, cookie: &str) {
    // The cookie is letters, digits and marks of ours.
    if let Ok(line) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_a_place_on_this_site() {
        assert_eq!(place("/incidents?state=all"), "/incidents?state=all");
        for elsewhere in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "x"]
        {
            assert_eq!(place(elsewhere), "/", "{elsewhere}");
        }
    }
}
