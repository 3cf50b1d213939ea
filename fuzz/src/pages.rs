//! Pages, scripts, source maps and the heads of answers.
//!
//! Bytes of the value [`JOINT`] are taken out of an input first: so a file of the corpus can hold what looks
//! like a key without holding one in one piece.

use launchready::discover::Bundle;
use launchready_checks::contract::{SourceFacts, Target, WebFacts};
use launchready_checks::document::Document;
use launchready_checks::probe::replay::{FileEntry, World};
use launchready_checks::secrets::{detector, downloads};
use serde_json::{Value, json};
use url::Url;

use super::holds::{check, target};
use super::world::{NEXT, Names, parts, probes};

/// What is taken out.
const JOINT: u8 = 0x1a;

fn joined(data: &[u8]) -> Vec<u8> {
    data.iter().copied().filter(|byte| *byte != JOINT).collect()
}

fn base() -> Url {
    Url::parse("https://harbor.example/assets/index.js").unwrap_or_else(|error| panic!("{error}"))
}

/// Keys stand where they are said to, one after the other, and are shown with a mask.
fn keys(bytes: &[u8]) {
    let key = detector::FingerprintKey::of_project("harbor");
    let mut end = 0;
    for found in detector::scan(bytes) {
        assert!(found.start >= end && found.end > found.start && found.end <= bytes.len());
        end = found.end;
        let value = String::from_utf8_lossy(&bytes[found.range()]).into_owned();
        let shown = found.masked(bytes);
        assert!(shown.len() <= value.len() + 16, "a mask of {} bytes", shown.len());
        assert!(!shown.contains(&value), "the mask shows the whole of a key");
        assert!(found.fingerprint(bytes, &key).len() <= 64);
    }
    // A window that is moved over the bytes finds the same.
    let (mut whole, mut halves) = (Vec::new(), Vec::new());
    detector::scan_part(bytes, 0..bytes.len(), &mut whole);
    detector::scan_part(bytes, 0..bytes.len() / 2, &mut halves);
    detector::scan_part(bytes, bytes.len() / 2..bytes.len(), &mut halves);
    let places =
        |all: &[detector::Match]| all.iter().map(detector::Match::range).collect::<Vec<_>>();
    assert_eq!(places(&whole), places(&halves), "what is found depends on where a window ends");
}

/// A page: its elements, what it leads to, which systems it names, and the keys in it.
pub(super) fn html(data: &[u8]) {
    let data = joined(data);
    let text = String::from_utf8_lossy(&data);
    let document = Document::parse(&text);
    assert!(document.elements.len() <= 20_000);
    for element in &document.elements {
        assert!(element.attributes.iter().all(|(_, value)| value.len() <= 16 * 1024));
    }
    document.title();
    document.meta("robots");
    downloads::of_page(&text, &base());
    downloads::of_script(&data, &base());
    let mut bundle = Bundle::default();
    bundle.read(&data, "harbor.example");
    assert!(bundle.projects.len() <= 64 && bundle.functions.len() <= 24);
    assert!(bundle.public_key.as_ref().is_none_or(|key| key.len() <= 2048));
    keys(&data);
}

/// A page, its scripts and their source maps, one after the other.
pub(super) fn bundle(data: &[u8]) {
    let data = joined(data);
    let parts = parts(&data, NEXT, 24);
    check(
        "secrets-bundle",
        &Value::Null,
        &target(),
        &probes(World::default(), Names::Plain, &parts),
    );
}

/// A page, then robots.txt, the sitemap, security.txt and what else is fetched of a site.
pub(super) fn pages(data: &[u8]) {
    let parts = parts(data, NEXT, 48);
    check("web-pages", &Value::Null, &target(), &probes(World::default(), Names::Plain, &parts));
}

/// Heads of answers, for one of the checks that read them: the first byte says which.
pub(super) fn headers(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let ids = [
        "web-redirects",
        "web-headers",
        "web-cors",
        "web-caching",
        "web-edge",
        "web-uptime",
        "web-rate-limits",
        "secrets-files",
        "ops-deployment",
    ];
    let id = ids.get(usize::from(*first) % ids.len()).unwrap_or(&"web-headers");
    let web = WebFacts {
        webhook_paths: vec!["/api/stripe".to_owned()],
        oauth_paths: vec!["/auth/callback".to_owned()],
        functions: vec!["https://harbor.example/functions/v1/pay".to_owned()],
        ..WebFacts::default()
    };
    let options = match *id {
        "web-rate-limits" => json!({"private": ["/admin"]}),
        "ops-deployment" => json!({"version_url": "https://harbor.example/version"}),
        _ => Value::Null,
    };
    let target = Target { web, hosts: vec!["api.harbor.example".to_owned()], ..target() };
    let parts = parts(rest, NEXT, 48);
    check(id, &options, &target, &probes(World::default(), Names::Plain, &parts));
}

/// Files of a source folder, one after the other: a line with the path, then the text.
pub(super) fn source_file(data: &[u8]) {
    let data = joined(data);
    keys(&data);
    let files = parts(&data, NEXT, 16).into_iter().enumerate().map(|(number, part)| {
        let text = String::from_utf8_lossy(part);
        let (path, text) = text.split_once('\n').unwrap_or(("", &text));
        FileEntry {
            path: path.to_owned(),
            commit: (number % 3 == 2).then(|| "a10867b1".to_owned()),
            tracked: [None, Some(true), Some(false)].get(number % 3).copied().flatten(),
            text: text.to_owned(),
        }
    });
    let world = World { file: files.collect(), ..World::default() };
    let source = Some(SourceFacts { path: "/srv/harbor".to_owned() });
    let target = Target { source, ..target() };
    check("secrets-source", &Value::Null, &target, &probes(world, Names::Plain, &[]));
}
