//! The HTTP port of a written-down world.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use super::{HttpEntry, Replay};
use crate::probe::{
    AgentFault, Answer, Http, HttpAnswer, HttpRequest, Method, ProbeError, RecordType, Timings,
    Trust,
};

impl Replay {
    fn entry_for(&self, request: &HttpRequest, nth: usize) -> Option<&HttpEntry> {
        let matching = |entry: &&HttpEntry| {
            let url = entry
                .url
                .strip_suffix('*')
                .map_or_else(|| entry.url == request.url, |prefix| request.url.starts_with(prefix));
            let method = entry.method.as_ref().map_or_else(
                || matches!(request.method, Method::Get | Method::Head),
                |method| method == request.method.as_str(),
            );
            let address = entry.address.is_none_or(|address| request.address == Some(address));
            let headers = entry.when.iter().all(|(name, value)| {
                request.headers.iter().any(|(n, v)| n == name && (v == value || value == "*"))
            });
            url && method && address && headers && entry.from_request.is_none_or(|n| nth >= n)
        };
        let weight = |entry: &&HttpEntry| {
            let exact = usize::from(!entry.url.ends_with('*')) * 1000 + entry.url.len();
            let conditions = entry.when.len() + usize::from(entry.address.is_some());
            (conditions, exact, entry.from_request.unwrap_or_default())
        };
        // `max_by_key` keeps the last of equals; reversed, that is the first in the file.
        self.world.http.iter().rev().filter(matching).max_by_key(weight)
    }

    fn answer_http(&self, request: &HttpRequest) -> Result<HttpAnswer, ProbeError> {
        let nth = self.count(format!("{} {}", request.method.as_str(), request.url));
        let url = url::Url::parse(&request.url)
            .map_err(|error| AgentFault::Bug(format!("{}: {error}", request.url)))?;
        let host = url.host_str().unwrap_or_default();
        if self.world.no_ipv6 && request.address.is_some_and(|address| address.is_ipv6()) {
            return Err(AgentFault::NoIpv6.into());
        }
        let resolved = self.zone.answer(host, RecordType::A, false).addresses();
        let address = request.address.or_else(|| resolved.first().copied());
        let known = |entry: &HttpEntry| {
            let origin = url.origin().ascii_serialization();
            entry.url.trim_end_matches('*').starts_with(&origin)
                && entry.address.is_none_or(|at| Some(at) == address)
        };
        let Some(entry) = self.entry_for(request, nth) else {
            if self.world.http.iter().any(known) {
                return Ok(answer(
                    request,
                    address,
                    404,
                    Vec::new(),
                    &Bytes::from_static(b"404 page not found"),
                ));
            }
            let word = if address.is_some() { "refused" } else { "unresolvable" };
            return Err(super::fault(word, host));
        };
        if let Some(word) = &entry.fault {
            return Err(super::fault(word, &request.url));
        }
        let headers = entry.headers.iter().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        });
        let mut body = entry.body.clone().into_bytes();
        if let Some(length) = entry.body_bytes {
            body.resize(length, b' ');
        }
        if request.method == Method::Head {
            body.clear();
        }
        let status = entry.status.unwrap_or(200);
        let mut answer = answer(request, address, status, headers.collect(), &body.into());
        let times = &entry.first_byte_ms;
        if let Some(milliseconds) = times.get((nth - 1) % times.len().max(1)) {
            answer.timings.first_byte_ms = *milliseconds;
            answer.timings.total_ms = *milliseconds + 1.0;
        }
        if let Some(trust) = &entry.trust {
            answer.trust = Some(trust.clone());
        }
        Ok(answer)
    }
}

fn answer(
    request: &HttpRequest,
    address: Option<IpAddr>,
    status: u16,
    headers: Vec<(String, String)>,
    body: &Bytes,
) -> HttpAnswer {
    let body_cut = body.len() > request.max_body;
    HttpAnswer {
        url: request.url.clone(),
        address: address.unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
        version: "HTTP/1.1".to_owned(),
        status,
        headers,
        body: body.slice(..body.len().min(request.max_body)),
        body_cut,
        timings: Timings { connect_ms: 40.0, first_byte_ms: 50.0, total_ms: 60.0 },
        trust: request.url.starts_with("https:").then_some(Trust::Trusted),
    }
}

impl Http for Replay {
    fn send(&self, request: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>> {
        let answer = self.answer_http(&request);
        Box::pin(async move { answer })
    }
}
