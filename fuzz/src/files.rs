//! Files of the user: the config, the map of old addresses, and what was signed.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use launchready::config::{Attestations, parse, read_domain, read_host};

use super::world::{NEXT, parts};

/// A folder of this process, which is taken away at its end.
pub(super) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new one, in memory where the system has such a place.
    pub(super) fn new() -> Self {
        let memory = PathBuf::from("/dev/shm");
        let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self(made.unwrap_or_else(|error| panic!("no folder: {error}")))
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder().join(name), bytes).unwrap_or_else(|error| panic!("{error}"));
    }
}

static CONFIG: LazyLock<Scratch> = LazyLock::new(|| {
    let scratch = Scratch::new();
    scratch.write("key", b"sesame-0123456789");
    scratch
});
static SIGNED: LazyLock<Scratch> = LazyLock::new(Scratch::new);

/// A config; behind the first [`NEXT`] the map of old addresses that it names as `map.csv`.
pub(super) fn config(data: &[u8]) {
    let parts = parts(data, NEXT, 2);
    let text = String::from_utf8_lossy(parts.first().copied().unwrap_or_default());
    if let Some(map) = parts.get(1) {
        CONFIG.write("map.csv", map);
    }
    let lines = text.lines().count() + 1;
    match parse(&text, CONFIG.folder()) {
        Err(errors) => {
            assert!(!errors.0.is_empty(), "a config that is refused without a reason");
            for error in &errors.0 {
                assert!(error.line <= lines, "line {} of {lines}", error.line);
                assert!(!error.message.is_empty());
            }
        }
        Ok(config) => {
            config.settings();
            config.warnings();
            for project in &config.projects {
                let domain = &project.target.domain;
                assert_eq!(
                    read_domain(domain).ok().as_ref(),
                    Some(domain),
                    "a domain that is none"
                );
                config.secrets_of(&project.target.project);
                // What is accepted now is accepted again when the check is built.
                for (id, options) in project.options.iter() {
                    let plugin = launchready_checks::registry::find(id);
                    let built = plugin.map(|plugin| (plugin.build)(options).is_ok());
                    assert_eq!(built, Some(true), "{id}: options that pass and build no check");
                }
            }
        }
    }
    let first = text.lines().next().unwrap_or_default();
    if let Ok(domain) = read_domain(first) {
        assert_eq!(read_domain(&domain).as_ref(), Ok(&domain), "a domain that is read differently");
        if let Ok(host) = read_host(first, &domain) {
            assert_eq!(read_host(&host, &domain), Ok(host));
        }
    }
}

/// The file of what was signed; written again, it says the same.
pub(super) fn attestations(data: &[u8]) {
    SIGNED.write("attestations.toml", data);
    let Ok(signed) = Attestations::read(SIGNED.folder()) else { return };
    let before = signed.of("harbor");
    for fact in &before {
        assert!(fact.until > fact.at, "{fact:?}");
        assert!(!fact.by.contains(char::is_control) && !fact.note.contains(char::is_control));
    }
    signed.write().unwrap_or_else(|error| panic!("what was read cannot be written: {error}"));
    let again = Attestations::read(SIGNED.folder());
    let again = again.unwrap_or_else(|error| panic!("what was written cannot be read: {error}"));
    assert_eq!(again.of("harbor"), before);
}
