//! What cannot be done is one clear error with the remedy, and nothing is written.

use std::path::Path;

use launchready_lab::World;

use crate::world::{Said, network_of, say, start, typed};

/// One message on standard error that holds all of `words`, and nothing on standard output.
#[track_caller]
fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
    assert_eq!(said.err.matches("error: ").count(), 1, "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word:?} is missing in: {}", said.err);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_no_domain_is_answered_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for (given, remedy) in [
        ("https://harbor.example/x", "write only the name: harbor.example"),
        ("founder@harbor.example", "harbor.example"),
        ("harbor", "such as harbor.com"),
        ("harbor.example\"]\n[project.x]", "it holds a blank"),
        ("har\"bor.example", "letters, digits and inner hyphens"),
        ("$(id).example", "letters, digits and inner hyphens"),
        ("../../etc/passwd", "is a web address"),
        ("\u{202e}elpmaxe.robrah", "no domain name"),
    ] {
        refused(&say(folder.path(), &["init", "--yes", given], &[]), 2, &[remedy]);
    }
    let long = format!("{}.example", "a".repeat(300));
    refused(&say(folder.path(), &["init", "--yes", &long], &[]), 2, &["no domain name"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_system_that_is_misspelt_is_answered_with_the_right_word() {
    let folder = tempfile::tempdir().unwrap();
    let uses = |word: &str| say(folder.path(), &["init", "harbor.example", "--uses", word], &[]);
    refused(&uses("hubpsot"), 2, &["\"hubpsot\"", "did you mean \"hubspot\"?"]);
    refused(&uses("stripe,salesforce"), 2, &["\"salesforce\"", "hubspot"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_place_that_cannot_be_written_and_a_config_with_errors_are_told_before_the_look() {
    let folder = tempfile::tempdir().unwrap();
    let out =
        |path: &str| say(folder.path(), &["init", "harbor.example", "--yes", "--out", path], &[]);
    refused(&out("no/such/folder/x.toml"), 2, &["cannot write", "--out"]);
    refused(&out("."), 2, &["it is no file", "--out"]);
    let text = "[[project]]\nname = \"harbor\"\ndomian = \"harbor.example\"\n";
    std::fs::write(folder.path().join("launchready.toml"), text).unwrap();
    let said = say(folder.path(), &["init", "harbor.example", "--yes"], &[]);
    refused(&said, 2, &["line 3: project[0].domian", "did you mean \"domain\"?"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("launchready.toml")).unwrap(), text);
    assert_eq!(names(folder.path()), ["launchready.toml"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_does_not_exist_is_told_with_the_remedy_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let lab = start(&World::load("healthy").unwrap(), &place).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.toml"), network_of(&lab)).unwrap();
    let init = ["init", "harbour.example", "--yes", "--out", "net.toml"];
    let said = typed(folder.path(), &init, &[]).await;
    refused(&said, 2, &["there is no domain harbour.example", "check the spelling"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("net.toml")).unwrap(), network_of(&lab));
    assert_eq!(names(folder.path()), ["net.toml"]);
}

#[test]
fn a_machine_that_cannot_ask_says_so() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let init = ["init", "harbor.example", "--yes", "--resolver", &closed.to_string()];
    let said = say(folder.path(), &init, &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("--resolver") || said.err.contains("dns-resolution"), "{said:?}");
    assert!(names(folder.path()).is_empty());
}
