//! Asks the page as a browser or a program does.

use regex::Regex;
use reqwest::{Client, Method, StatusCode};

use crate::site::Page;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().rfind(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The form token of the page.
    pub(crate) fn token(&self) -> String {
        let pattern = Regex::new("name=\"csrf\" value=\"([^\"]+)\"").unwrap();
        pattern.captures(&self.body).expect("the page has a form")[1].to_owned()
    }
}

fn client() -> Client {
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Sends a request with these headers.
pub(crate) async fn ask(
    page: &Page,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Answer {
    let method: Method = method.parse().unwrap();
    let mut request = client().request(method, page.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(body.to_owned());
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    Answer { status, headers, body: response.text().await.unwrap() }
}

pub(crate) async fn get(page: &Page, path: &str) -> Answer {
    ask(page, "GET", path, &[], None).await
}

/// Sends a form.
pub(crate) async fn post(
    page: &Page,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    ask(page, "POST", path, &headers, Some(&body)).await
}

/// Sends JSON.
pub(crate) async fn send(
    page: &Page,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &serde_json::Value,
) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    ask(page, method, path, &headers, Some(&body.to_string())).await
}

/// Signs in; the `Cookie` header of the session.
pub(crate) async fn sign_in(page: &Page, password: &str) -> String {
    let answer = post(page, "/login", &[], &[("password", password)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
