//! The files that are asked for, and what in an answer proves that it is one.

use serde::{Deserialize, Serialize};

/// What a file gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Exposure {
    /// Environment variables.
    EnvFile,
    /// The repository.
    GitFolder,
    /// A copy of files or of the database.
    Backup,
    /// Insides of the running server.
    DebugPage,
    /// An administration page without sign-in.
    AdminPage,
    /// Names of files.
    Listing,
}

impl Exposure {
    /// Whether a file of this kind is a critical finding.
    pub(super) const fn is_critical(self) -> bool {
        !matches!(self, Self::Listing)
    }
}

/// One path and the proof.
pub(super) struct Candidate {
    pub(super) path: &'static str,
    pub(super) exposure: Exposure,
    proof: fn(&Page<'_>) -> Option<String>,
}

/// The beginning of an answer.
pub(super) struct Page<'a> {
    pub(super) body: &'a [u8],
    pub(super) is_html: bool,
}

impl Candidate {
    /// What in the answer proves it, in words without any value; `None` where nothing does.
    pub(super) fn proof(&self, page: &Page<'_>) -> Option<String> {
        (self.proof)(page)
    }
}

macro_rules! candidates {
    ($($path:literal $exposure:ident $proof:expr;)*) => {
        /// Every path, those that hurt most first: where a limit cuts the list, it cuts its end.
        pub(super) const CANDIDATES: &[Candidate] = &[$(
            Candidate { path: $path, exposure: Exposure::$exposure, proof: $proof }
        ),*];
    };
}

candidates! {
    "/.env" EnvFile env_file;
    "/.git/HEAD" GitFolder git_head;
    "/.git/config" GitFolder git_config;
    "/.env.local" EnvFile env_file;
    "/.env.production" EnvFile env_file;
    "/.env.backup" EnvFile env_file;
    "/.aws/credentials" EnvFile |page| plain(page, "aws_secret_access_key", "credentials of AWS");
    "/backup.zip" Backup zip;
    "/backup.sql" Backup sql;
    "/dump.sql" Backup sql;
    "/backup.tar.gz" Backup gzip;
    "/db.sqlite" Backup sqlite;
    "/database.sql" Backup sql;
    "/site.zip" Backup zip;
    "/wp-config.php.bak" Backup |page| plain(page, "DB_PASSWORD", "the configuration of WordPress");
    "/phpinfo.php" DebugPage |page| text(page, "phpinfo()", "the page of phpinfo()");
    "/actuator/env" DebugPage |page| text(page, "\"propertySources\"", "the environment of a Spring server");
    "/server-status" DebugPage |page| text(page, "Apache Server Status", "the status of an Apache server");
    "/debug" DebugPage debug_page;
    "/_ignition/health-check" DebugPage |page| text(page, "\"can_execute_commands\":true", "Laravel Ignition, which runs commands");
    "/debug/pprof/" DebugPage |page| text(page, "Types of profiles available", "the profiles of a Go server");
    "/_profiler" DebugPage |page| text(page, "Symfony Profiler", "the profiler of Symfony");
    "/telescope/requests" DebugPage |page| text(page, "Telescope", "Laravel Telescope");
    "/elmah.axd" DebugPage |page| text(page, "Error Log for", "the error log of ELMAH");
    "/storage/logs/laravel.log" DebugPage |page| plain(page, "production.ERROR", "the log of Laravel");
    "/admin" AdminPage admin_page;
    "/.DS_Store" Listing ds_store;
    "/uploads/" Listing listing;
    "/backup/" Listing listing;
    "/assets/" Listing listing;
    "/files/" Listing listing;
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn text(page: &Page<'_>, part: &str, what: &str) -> Option<String> {
    has(page.body, part.as_bytes()).then(|| what.to_owned())
}

fn plain(page: &Page<'_>, part: &str, what: &str) -> Option<String> {
    if page.is_html || looks_like_html(page.body) { None } else { text(page, part, what) }
}

fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Lines `NAME=value`: two at least, and more than anything else.
fn env_file(page: &Page<'_>) -> Option<String> {
    if page.is_html || looks_like_html(page.body) {
        return None;
    }
    let names = variable_names(page.body);
    let text = String::from_utf8_lossy(page.body);
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    // The last line may be cut in the middle.
    if names.is_empty() || names.len() * 2 < lines.count() {
        return None;
    }
    let shown: Vec<_> = names.iter().take(5).map(String::as_str).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    Some(format!("{} variables: {}{more}", names.len(), shown.join(", ")))
}

/// The names of the variables that a file sets.
fn variable_names(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let name = |line: &str| {
        let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
        let name = name.trim();
        let fits = (2..=40).contains(&name.len())
            && !value.trim().is_empty()
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        fits.then(|| name.to_owned())
    };
    text.lines().filter_map(name).collect()
}

fn git_head(page: &Page<'_>) -> Option<String> {
    let head = page.body.trim_ascii();
    let detached = head.len() == 40 && head.iter().all(u8::is_ascii_hexdigit);
    (head.starts_with(b"ref: refs/") || detached).then(|| "a git branch".to_owned())
}

fn git_config(page: &Page<'_>) -> Option<String> {
    plain(page, "[core]", "the settings of a git repository")
}

fn zip(page: &Page<'_>) -> Option<String> {
    page.body.starts_with(b"PK\x03\x04").then(|| "a ZIP archive".to_owned())
}

fn gzip(page: &Page<'_>) -> Option<String> {
    page.body.starts_with(&[0x1f, 0x8b, 0x08]).then(|| "a gzip archive".to_owned())
}

fn sqlite(page: &Page<'_>) -> Option<String> {
    page.body.starts_with(b"SQLite format 3\0").then(|| "an SQLite database".to_owned())
}

fn sql(page: &Page<'_>) -> Option<String> {
    if page.is_html || looks_like_html(page.body) {
        return None;
    }
    let signs: [&[u8]; 5] = [
        b"CREATE TABLE",
        b"INSERT INTO",
        b"-- PostgreSQL database dump",
        b"-- MySQL dump",
        b"PGDMP",
    ];
    signs.iter().any(|sign| has(page.body, sign)).then(|| "a dump of a database".to_owned())
}

fn debug_page(page: &Page<'_>) -> Option<String> {
    let signs = [
        "Werkzeug Debugger",
        "DEBUG = True",
        "Whoops! There was an error",
        "Traceback (most recent call last)",
        "debugbar",
    ];
    signs.iter().find_map(|sign| text(page, sign, "the debug page of a framework"))
}

/// A page for somebody who is signed in, shown to a stranger: it offers to sign out and asks for no
/// password.
fn admin_page(page: &Page<'_>) -> Option<String> {
    let lower = String::from_utf8_lossy(page.body).to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let inside = page.is_html
        && any(&["admin"])
        && any(&["log out", "logout", "sign out"])
        && !any(&["type=\"password\"", "type='password'", "type=password", "log in", "sign in"]);
    inside.then(|| {
        "an administration page that offers to sign out and asks for no password".to_owned()
    })
}

fn ds_store(page: &Page<'_>) -> Option<String> {
    page.body.starts_with(b"\x00\x00\x00\x01Bud1").then(|| "a folder file of macOS".to_owned())
}

fn listing(page: &Page<'_>) -> Option<String> {
    let signs = [
        "<title>Index of /",
        "<h1>Index of /",
        "<title>Directory listing for /",
        "<pre><a href=\"../\">",
    ];
    signs.iter().find_map(|sign| text(page, sign, "a list of files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page<'_> {
        Page { body: body.as_bytes(), is_html: false }
    }

    #[test]
    fn an_environment_file_is_lines_of_names_and_values() {
        let proof = env_file(&page("# keys\nSTRIPE_KEY=abc\nexport DB_URL=\"x\"\n")).unwrap();
        assert_eq!(proof, "2 variables: STRIPE_KEY, DB_URL");
        for other in
            ["<!doctype html><a href=\"?A=b\">", "{\"A\":1}", "not found", "", "a=b\nA =\n"]
        {
            assert_eq!(env_file(&page(other)), None, "{other}");
        }
    }

    #[test]
    fn each_path_is_asked_once_and_starts_at_the_root() {
        let mut paths: Vec<_> = CANDIDATES.iter().map(|candidate| candidate.path).collect();
        assert!(paths.iter().all(|path| path.starts_with('/')));
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), CANDIDATES.len());
    }

    #[test]
    fn what_is_critical_is_asked_before_what_is_not() {
        let critical: Vec<_> = CANDIDATES.iter().map(|one| one.exposure.is_critical()).collect();
        assert!(critical.is_sorted_by(|before, after| before >= after));
    }

    #[test]
    fn archives_are_told_by_their_first_bytes() {
        let magic = |bytes| Page { body: bytes, is_html: false };
        assert!(zip(&magic(b"PK\x03\x04..")).is_some() && zip(&page("PK")).is_none());
        assert!(gzip(&magic(&[0x1f, 0x8b, 8, 0])).is_some());
        assert!(sqlite(&magic(b"SQLite format 3\0")).is_some());
        assert!(ds_store(&magic(b"\x00\x00\x00\x01Bud1")).is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(body: Vec<u8>, is_html: bool) {
            for candidate in CANDIDATES {
                candidate.proof(&Page { body: &body, is_html });
            }
        }
    }
}
