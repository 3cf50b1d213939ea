//! A Supabase project as every browser sees it: `PostgREST` and storage, asked with the public key.

use std::time::Duration;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, BucketLook, ProbeError, PublicLook, PublicNames, SupabasePublic,
    TargetFault,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::short;
use crate::config::Secret;
use crate::connect::{Api, Reach, Reply, Shown, Vendor};

/// The gateway allows thousands of requests a second; the product's own database answers them.
const VENDOR: Vendor = Vendor {
    name: "the Supabase project",
    pace: Duration::from_millis(20),
    headers: &[],
    permission: |_body| None,
    where_to: "Settings → API Keys in the dashboard",
};
/// The most names of each kind that are read.
const NAMES: usize = 500;
/// The most buckets that are asked.
const BUCKETS: usize = 60;

/// The project, asked with the public key.
#[derive(Debug)]
pub(super) struct Rest {
    api: Api,
    /// Keys of the older kind are also shown as a token.
    bearer: Option<Secret>,
}

impl Rest {
    pub(super) fn new(base: &str, key: Secret, reach: &Reach) -> Result<Self, ProbeError> {
        let bearer = key.expose().starts_with("eyJ").then(|| format!("Bearer {}", key.expose()));
        let api = Api::new(VENDOR, base, Shown::Header("apikey", key), reach)?;
        Ok(Self { api, bearer: bearer.map(Secret::new) })
    }

    async fn send(
        &self,
        headers: &[(&'static str, &str)],
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, ProbeError> {
        let mut headers = headers.to_vec();
        if let Some(bearer) = &self.bearer {
            headers.push(("authorization", bearer.expose()));
        }
        let reply = self.api.any_with(&headers, method, path, &[], body).await?;
        // A refused key and an overload say nothing about what was asked for.
        if reply.status == 429 { Err(self.api.refused(&reply)) } else { Ok(reply) }
    }

    async fn look(&self, name: &str) -> Result<PublicLook, ProbeError> {
        let (schema, table) = name.split_once('.').unwrap_or(("", name));
        if matches!(table, "" | "." | "..") {
            return Ok(PublicLook::Absent);
        }
        let path = format!("rest/v1/{}?select=*", segment(table));
        let profile = [("accept-profile", schema)];
        let profile: &[_] = if schema.is_empty() { &[] } else { &profile };
        let counted = [("range-unit", "items"), ("range", "0-0"), ("prefer", "count=exact")];
        let headers = [&counted[..], profile].concat();
        let mut reply = self.send(&headers, Method::HEAD, &path, None).await?;
        if reply.status >= 500 {
            // Counting a large table takes longer than strangers may; whether there is a row does not.
            let plain = [counted.get(..2).unwrap_or_default(), profile].concat();
            reply = self.send(&plain, Method::HEAD, &path, None).await?;
        }
        match reply.status {
            200 | 206 => Ok(seen(&reply)),
            416 => Ok(PublicLook::Empty),
            500.. => Err(self.api.refused(&reply)),
            // The answer to HEAD has no body, and the code stands in the body. No row is asked for.
            status => {
                let path = format!("{path}&limit=0");
                let reply = self.send(profile, Method::GET, &path, None).await?;
                self.verdict(status, &reply)
            }
        }
    }

    fn verdict(&self, status: u16, reply: &Reply) -> Result<PublicLook, ProbeError> {
        let told: Told = json::from_slice(&reply.body).unwrap_or_default();
        match told.code.as_deref() {
            Some("42501") => Ok(PublicLook::Denied),
            Some("PGRST205" | "PGRST106" | "42P01") => Ok(PublicLook::Absent),
            None if reply.status == 401 => Err(self.api.refused(reply)),
            code => Ok(PublicLook::Other { status, code: code.map(short) }),
        }
    }

    async fn listed(&self, name: &str) -> Result<bool, ProbeError> {
        let path = format!("storage/v1/object/list/{}", segment(name));
        let body = json!({ "prefix": "", "limit": 1, "offset": 0 });
        let reply = self.send(&[], Method::POST, &path, Some(&body)).await?;
        match reply.status {
            200..=299 => {
                let files: Vec<Value> = reply.json(&VENDOR)?;
                Ok(!files.is_empty())
            }
            400 | 401 | 403 | 404 => Ok(false),
            _ => Err(self.api.refused(&reply)),
        }
    }

    async fn all_buckets(&self, also: Vec<String>) -> Result<Vec<BucketLook>, ProbeError> {
        let reply = self.send(&[], Method::GET, "storage/v1/bucket", None).await?;
        let mut buckets: Vec<BucketLook> = match reply.status {
            200..=299 => {
                let all: Vec<Bucket> = reply.json(&VENDOR)?;
                all.into_iter()
                    .map(|one| BucketLook { name: one.id, public: one.public, listed: false })
                    .collect()
            }
            // The list itself may be refused while files are listed.
            400 | 401 | 403 | 404 => Vec::new(),
            _ => return Err(self.api.refused(&reply)),
        };
        for name in also {
            if !buckets.iter().any(|known| known.name == name) {
                buckets.push(BucketLook { name, ..BucketLook::default() });
            }
        }
        buckets.truncate(BUCKETS);
        for bucket in &mut buckets {
            bucket.listed = self.listed(&bucket.name).await?;
        }
        Ok(buckets)
    }

    async fn root(&self) -> Result<PublicNames, ProbeError> {
        let headers = [("accept-profile", "public")];
        let reply = self.send(&headers, Method::GET, "rest/v1/", None).await?;
        match reply.status {
            200..=299 => {}
            401 | 403 | 404 | 406 => {
                return Ok(PublicNames { refused: true, ..PublicNames::default() });
            }
            _ => return Err(self.api.refused(&reply)),
        }
        let described: Described = reply.json(&VENDOR)?;
        let mut names = PublicNames::default();
        for path in described.paths.keys() {
            let path = path.trim_start_matches('/');
            let (list, name) = match path.strip_prefix("rpc/") {
                Some(name) => (&mut names.functions, name),
                None => (&mut names.tables, path),
            };
            if !name.is_empty() && list.len() < NAMES {
                list.push(short(name));
            }
        }
        Ok(names)
    }
}

/// What `PostgREST` says in an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    id: String,
    #[serde(default)]
    public: bool,
}

/// The root of `PostgREST`, which describes itself.
#[derive(Debug, Deserialize)]
struct Described {
    paths: serde_json::Map<String, Value>,
}

/// `Content-Range: 0-0/123`: a row, of so many; `*/0` where there is none.
fn seen(reply: &Reply) -> PublicLook {
    let range = reply.headers.get("content-range").and_then(|range| range.to_str().ok());
    let Some((rows, total)) = range.and_then(|range| range.split_once('/')) else {
        return PublicLook::Other { status: reply.status, code: None };
    };
    let total = total.trim().parse().ok();
    if rows.trim() == "*" || total == Some(0) {
        PublicLook::Empty
    } else {
        PublicLook::Rows { total }
    }
}

/// A name as one part of a path.
fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ok = write!(out, "%{byte:02X}");
        }
        out
    })
}

impl SupabasePublic for Rest {
    fn key_works(&self) -> Answer<'_, Result<(), ProbeError>> {
        Box::pin(async {
            let reply = self.send(&[], Method::GET, "auth/v1/settings", None).await?;
            match reply.status {
                200..=299 => Ok(()),
                401 | 403 => {
                    let what = "the project refuses supabase.public_key; copy the publishable key from Settings → \
                                API Keys";
                    Err(AgentFault::BadCredential(what.to_owned()).into())
                }
                404 => {
                    let what = "no Supabase project answers at its address".to_owned();
                    Err(TargetFault::Malformed(what).into())
                }
                _ => Err(self.api.refused(&reply)),
            }
        })
    }

    fn table(&self, name: String) -> Answer<'_, Result<PublicLook, ProbeError>> {
        Box::pin(async move { self.look(&name).await })
    }

    fn buckets(&self, also: Vec<String>) -> Answer<'_, Result<Vec<BucketLook>, ProbeError>> {
        Box::pin(self.all_buckets(also))
    }

    fn names(&self) -> Answer<'_, Result<PublicNames, ProbeError>> {
        Box::pin(self.root())
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_name_never_leaves_its_part_of_the_path() {
        assert_eq!(segment("orders"), "orders");
        assert_eq!(segment("a/b?c=d#e"), "a%2Fb%3Fc%3Dd%23e");
        assert_eq!(segment("größe"), "gr%C3%B6%C3%9Fe");
    }
}
