//! The demo keeps running: things break by the timetable, and the messages can be read on a page.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use tokio::time::Instant;

use crate::rig::{PATIENCE, client};

/// How many times faster than ours the demo's clock runs. The host is down for eighty seconds of it, within which the
/// agent has to look twice even on a machine that has too much to do.
const SPEED: &str = "5";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_what_breaks_and_the_messages_about_it_and_ends_when_asked_to() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["demo", "--listen", "127.0.0.1:0", "--speed", SPEED])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines =
        BufReader::new(demo.stderr.take().unwrap()).lines().map(Result::unwrap).peekable();
    let first = lines.peek().unwrap();
    assert!(first.starts_with("the agent's page:"), "nothing is said before that: {first}");
    let mut address = |of: &str| {
        let line = lines.find(|line| line.starts_with(of)).unwrap();
        line.split_once("http://").map(|(_, rest)| format!("http://{rest}")).unwrap()
    };
    let (page, letters) = (address("the agent's page:"), address("mail and messages:"));
    let pace = lines.find(|line| line.starts_with("The demo's clock")).unwrap();
    assert!(pace.contains("runs 5 times faster than yours"), "{pace}");
    // What it goes on saying is read, so that it never waits for a reader.
    let said = std::thread::spawn(move || lines.collect::<Vec<_>>());

    let client = client();
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = client.get(&letters).send().await.unwrap().text().await.unwrap();
        if answer.contains("An address of the product does not answer") {
            assert!(answer.contains("runs 5 times faster than yours"), "{answer}");
            break;
        }
        assert!(Instant::now() < end, "no message about the host that is down:\n{answer}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let overview = client.get(&page).send().await.unwrap();
    assert_eq!(overview.status(), 200);
    let overview = overview.text().await.unwrap();
    assert!(overview.contains("harbor") && overview.contains("runs 5 times faster than yours"));
    let status = client.get(format!("{page}status")).send().await.unwrap().text().await.unwrap();
    assert!(status.contains("runs 5 times faster than yours"), "{status}");

    let id = demo.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(demo.wait().unwrap().success(), "it ends in good order");
    let said = said.join().unwrap();
    assert!(
        said.iter()
            .any(|line| line.ends_with(" UTC by the demo's clock: app.harbor.example goes down")),
        "{said:?}"
    );
}
