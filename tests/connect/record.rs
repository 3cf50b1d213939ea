//! Writes the seeds of the fuzz target `connector`: what the fakes answer to each of its questions. Run by
//! `fuzz/seeds`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use launchready::clock::SystemClock;
use launchready::connect::{Reach, Written};
use serde_json::Value;
use tokio::runtime::Handle;

use super::faults::{Running, ports_at};
use super::{table, targets};

/// The most bytes of a seed, of all seeds, and of pages in one.
const SEED: usize = 8 * 1024;
const SEEDS: usize = 140 * 1024;
const PAGES: usize = 6;
/// Questions of one connector.
const QUESTIONS: u8 = 18;

/// Lists of two entries say as much as longer ones.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.truncate(2);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// A page as the target reads one.
fn page(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{status}\n");
    for (name, value) in headers {
        // The target's clock stands still, so that a date of today would be a fault.
        if ["link", "retry-after", "content-range"].contains(&name.as_str()) {
            _ = writeln!(text, "{name}: {value}");
        }
    }
    text.push('\n');
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            shorten(&mut value);
            serde_json::to_vec(&value).unwrap()
        }
        Err(_no_json) => body.to_vec(),
    };
    [text.as_bytes(), &body].concat()
}

/// Sends requests on, and keeps what comes back.
fn recorder(client: reqwest::Client, kept: Arc<Mutex<Vec<Vec<u8>>>>) -> Written {
    let handle = Handle::current();
    Arc::new(move |request| {
        let (sender, receiver) = mpsc::channel();
        let client = client.clone();
        handle.spawn(async move {
            let answer = client.execute(request).await.unwrap();
            let status = answer.status().as_u16();
            let headers = answer.headers().iter().map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            });
            let headers: Vec<_> = headers.collect();
            let body = answer.bytes().await.unwrap().to_vec();
            sender.send((status, headers, body)).unwrap();
        });
        let (status, headers, body) = receiver.recv().unwrap();
        kept.lock().unwrap().push(page(status, &headers, &body));
        let mut answer = hyper::Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        reqwest::Response::from(answer.body(body).unwrap())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it writes the seeds of fuzz/corpus/connector; fuzz/seeds runs it"]
async fn write() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/connector");
    std::fs::create_dir_all(&corpus).unwrap();
    for old in std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()) {
        if old.file_name().unwrap().to_str().unwrap().starts_with("seed-") {
            std::fs::remove_file(old).unwrap();
        }
    }
    let names = targets::connectors();
    let first = (b'a'..=b'z').find(|byte| usize::from(*byte) % names.len() == 0).unwrap();
    let mut size = 0;
    for (nth, name) in names.iter().enumerate() {
        let rows = table::all();
        let row = rows.iter().find(|row| row.file == *name).unwrap();
        let running = Running::start(&row.tables).await;
        let mut known = Vec::new();
        // Numbers of questions are printable; the later ones are those of the public port of Supabase.
        for question in (b'Z'..b'Z' + QUESTIONS).chain(b'p'..b't') {
            let kept = Arc::new(Mutex::new(Vec::new()));
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let written = Some(recorder(client.clone(), Arc::clone(&kept)));
            let reach = Reach { written, ..Reach::new(client, Arc::new(SystemClock)) };
            let ports = ports_at(&running, &reach);
            let asked = tokio::task::spawn_blocking(move || {
                drop(targets::ask_connector(&ports, question));
            });
            asked.await.unwrap();
            let mut pages = std::mem::take(&mut *kept.lock().unwrap());
            pages.truncate(PAGES);
            let pages = pages.join(&0x1e);
            if pages.is_empty() || pages.len() > SEED || known.contains(&pages) {
                continue;
            }
            let which = first + u8::try_from(nth).unwrap();
            let seed = [[which, question].as_slice(), &pages].concat();
            size += seed.len();
            if size <= SEEDS {
                std::fs::write(corpus.join(format!("seed-{name}-{question}")), seed).unwrap();
            }
            known.push(pages);
        }
        running.lab.stop().await;
    }
}
