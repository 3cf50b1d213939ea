//! A release that `packaging/build` has made: small, for old systems too, with a true bill of materials, and
//! without a path of the machine that built it. Where none is named nothing here is tested: nextest leaves these
//! tests out (`.config/nextest.toml`), and by themselves they say that they were not asked.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{release, repository, said};

/// The most bytes of the program.
const SIZE: u64 = 25_000_000;
/// The newest glibc that the program may ask for: that of 2018, which Debian 10 and RHEL 8 have.
const GLIBC: (u32, u32) = (2, 28);
/// What belongs to glibc.
const LIBRARIES: [&str; 7] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libutil.so.1",
    "ld-linux",
];

/// The folder of the release; says so where none is named. One that is named has to be there.
fn folder() -> Option<PathBuf> {
    let Some(folder) = release() else {
        println!("NOT ASKED: LAUNCHREADY_RELEASE names no folder of packaging/build");
        return None;
    };
    assert!(folder.is_dir(), "{} is no folder; packaging/build makes one", folder.display());
    Some(folder)
}

#[test]
fn the_program_is_small_and_runs_with_an_old_glibc() {
    let Some(folder) = folder() else { return };
    let program = folder.join("launchready");
    let size = std::fs::metadata(&program).unwrap().len();
    assert!(size < SIZE, "{size} bytes");
    let symbols = said(Command::new("readelf").args(["--wide", "--version-info"]).arg(&program));
    let versions: BTreeSet<(u32, u32)> = symbols
        .split("GLIBC_")
        .skip(1)
        .filter_map(|rest| {
            let version = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
            let mut parts = version.split('.').map(str::parse);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        })
        .collect();
    let newest = versions.last().unwrap();
    assert!(*newest <= GLIBC, "it asks for glibc {newest:?}");
    let needed = said(Command::new("readelf").args(["--wide", "--dynamic"]).arg(&program));
    let needed = needed.lines().filter(|line| line.contains("(NEEDED)"));
    for line in needed {
        let name = line.split('[').nth(1).unwrap();
        assert!(LIBRARIES.iter().any(|known| name.starts_with(known)), "{line}");
    }
    let version = said(Command::new(&program).arg("--version"));
    assert_eq!(version.trim(), concat!("launchready ", env!("CARGO_PKG_VERSION")));
    println!("{size} bytes, glibc {newest:?}");
}

#[test]
fn no_path_of_the_machine_is_in_the_program() {
    let Some(folder) = folder() else { return };
    let bytes = std::fs::read(folder.join("launchready")).unwrap();
    let home = crate::variable("HOME").unwrap();
    for path in [env!("CARGO_MANIFEST_DIR"), &format!("{home}/"), "/rustlib/src/"] {
        let seen = bytes.windows(path.len()).any(|window| window == path.as_bytes());
        assert!(!seen, "the program holds {path}");
    }
}

#[test]
fn the_checksums_are_those_of_the_files() {
    let Some(folder) = folder() else { return };
    let told = said(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(&folder));
    let all = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let files = all.filter(|entry| entry.path().is_file()).count();
    // Each of them is named, but for the list itself.
    assert_eq!(told.lines().count(), files - 1, "{told}");
}

/// Name and version of each crate that is in the program or builds it.
fn built() -> BTreeSet<(String, String)> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "tree",
        "--locked",
        "--offline",
        "--package",
        "launchready",
        "--target",
        &target,
    ]);
    command.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let told = said(command.current_dir(repository(".")));
    let pairs = told.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    });
    pairs.collect()
}

#[test]
fn the_bill_of_materials_names_every_crate_and_no_other() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("launchready.cdx.json")).unwrap();
    let bill: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let own = &bill["metadata"]["component"];
    let parts = bill["components"].as_array().unwrap();
    let named = parts.iter().chain([own]).map(|it| (word(&it["name"]), word(&it["version"])));
    let named: BTreeSet<_> = named.collect();
    assert!(named.len() > 200);
    assert_eq!(named, built());
    let lock: toml::Table =
        std::fs::read_to_string(repository("Cargo.lock")).unwrap().parse().unwrap();
    let locked = lock["package"].as_array().unwrap();
    for part in parts {
        let (name, version) = (word(&part["name"]), word(&part["version"]));
        assert!(part["licenses"].as_array().is_some_and(|all| !all.is_empty()), "{name}");
        let entry = locked.iter().find(|entry| {
            entry["name"].as_str() == Some(&name) && entry["version"].as_str() == Some(&version)
        });
        let entry = entry.unwrap_or_else(|| panic!("Cargo.lock has no {name} {version}"));
        // The checksum is that of the lock file, so that a reader can compare without us.
        if let Some(sum) = entry.get("checksum") {
            assert_eq!(part["hashes"][0]["content"].as_str(), sum.as_str(), "{name}");
        }
    }
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "it names a path of the machine");
}
