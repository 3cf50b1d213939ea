//! Reads what git knows about a folder, through the `git` program.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;

use launchready_checks::probe::{FileLook, SourceFile};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// The most versions of files that are read.
const VERSIONS: usize = 200_000;
/// The longest path or line that git may give, in bytes.
const LINE: u64 = 64 * 1024;
/// The most of a complaint of git that is kept.
const COMPLAINT: usize = 300;

/// `git` in a folder: no shell, a clean environment, killed when it is dropped. The configuration
/// of the repository is read by git, so all that could name a program or a server is switched off.
fn git(folder: &Path, arguments: &[&str]) -> std::io::Result<Child> {
    Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// The paths that git tracks in a folder; `None` where there is no git or no repository.
pub(super) async fn tracked(folder: &Path) -> Option<HashSet<String>> {
    let mut child = git(folder, &["ls-files", "-z"]).ok()?;
    drop(child.stdin.take());
    let mut out = BufReader::new(child.stdout.take()?);
    let mut paths = HashSet::new();
    let mut token = Vec::new();
    while read_token(&mut out, 0, &mut token).await.ok()? {
        paths.insert(String::from_utf8_lossy(&token).into_owned());
    }
    child.wait().await.ok()?.success().then_some(paths)
}

/// Reads up to a separator, which is left out; `false` at the end.
async fn read_token(
    out: &mut BufReader<ChildStdout>,
    separator: u8,
    token: &mut Vec<u8>,
) -> std::io::Result<bool> {
    token.clear();
    let length = (&mut *out).take(LINE).read_until(separator, token).await?;
    if token.last() == Some(&separator) {
        token.pop();
    }
    Ok(length > 0)
}

/// A version of a file.
struct Version {
    object: String,
    /// The index of its commit.
    commit: usize,
    path: String,
}

/// Hands every version of every file to `visit`. What cannot be read is said in `look`.
pub(super) async fn history(
    folder: &Path,
    limit: u64,
    visit: &(dyn Fn(SourceFile<'_>) + Sync),
    look: &mut FileLook,
) {
    match versions(folder).await {
        Ok((commits, versions, is_cut)) => {
            if is_cut {
                look.no_history =
                    Some(format!("it has more than the {VERSIONS} versions that are read"));
            }
            if let Err(error) = contents(folder, limit, &commits, &versions, visit, look).await {
                look.no_history = Some(error);
            }
        }
        Err(error) => look.no_history = Some(error),
    }
}

/// Every version in every branch, tag and stash, newest first, each content once.
async fn versions(folder: &Path) -> Result<(Vec<String>, Vec<Version>, bool), String> {
    let arguments = [
        "log",
        "--all",
        "--raw",
        "--root",
        "-m",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--diff-filter=AMT",
        "--relative",
        "--format=%x01%H",
        "-z",
        "--",
        ".",
    ];
    let mut child = git(folder, &arguments).map_err(|error| no_program(&error))?;
    drop(child.stdin.take());
    let (out, err) = pipes(&mut child)?;
    let listing = async {
        let mut out = BufReader::new(out);
        let mut seen = HashSet::new();
        let (mut commits, mut versions, mut is_cut) = (Vec::new(), Vec::new(), false);
        let mut token = Vec::new();
        while read_token(&mut out, 0, &mut token).await.map_err(|error| broken(&error))? {
            let text = String::from_utf8_lossy(&token).into_owned();
            let text = text.trim_start_matches('\n');
            if let Some(commit) = text.strip_prefix('\u{1}') {
                commits.push(commit.chars().take(8).collect());
            } else if let Some(object) = text.strip_prefix(':').and_then(blob) {
                if !read_token(&mut out, 0, &mut token).await.map_err(|error| broken(&error))? {
                    break;
                }
                let path = String::from_utf8_lossy(&token).into_owned();
                is_cut = is_cut || versions.len() >= VERSIONS;
                let others = path.split('/').any(|part| part == "node_modules");
                if !is_cut && !others && seen.insert(object.clone()) {
                    let commit = commits.len().saturating_sub(1);
                    versions.push(Version { object, commit, path });
                }
            }
        }
        Ok::<_, String>((commits, versions, is_cut))
    };
    let (listed, complaint) = tokio::join!(listing, complaint(err));
    let status = child.wait().await.map_err(|error| broken(&error))?;
    if status.success() { listed } else { Err(no_repository(&complaint)) }
}

/// The new object of a raw line such as `000000 100644 0000… 7898… A`, where it is a plain file.
fn blob(line: &str) -> Option<String> {
    let mut parts = line.split(' ');
    let (mode, object) = (parts.nth(1)?, parts.nth(1)?);
    mode.starts_with("100").then(|| object.to_owned())
}

/// Hands the contents of versions to `visit`, in one stream.
async fn contents(
    folder: &Path,
    limit: u64,
    commits: &[String],
    versions: &[Version],
    visit: &(dyn Fn(SourceFile<'_>) + Sync),
    look: &mut FileLook,
) -> Result<(), String> {
    let mut child =
        git(folder, &["cat-file", "--batch", "--buffer"]).map_err(|error| no_program(&error))?;
    let stdin = child.stdin.take().ok_or("git takes no input")?;
    let (out, err) = pipes(&mut child)?;
    let reading = async {
        let mut out = BufReader::with_capacity(128 * 1024, out);
        let (mut head, mut body) = (Vec::new(), Vec::new());
        for version in versions {
            if !read_token(&mut out, b'\n', &mut head).await.map_err(|error| broken(&error))? {
                return Err("git ended before the last version".to_owned());
            }
            let head = String::from_utf8_lossy(&head);
            // A shallow or partial clone lacks objects: `<object> missing`.
            let Some(size) = head.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok())
            else {
                continue;
            };
            // The content is followed by one line end.
            let mut content = (&mut out).take(size.saturating_add(1));
            if size > limit {
                tokio::io::copy(&mut content, &mut tokio::io::sink())
                    .await
                    .map_err(|error| broken(&error))?;
                continue;
            }
            body.clear();
            content.read_to_end(&mut body).await.map_err(|error| broken(&error))?;
            body.pop();
            visit(SourceFile {
                path: &version.path,
                commit: commits.get(version.commit).map(String::as_str).or(Some("unknown")),
                tracked: None,
                bytes: &body,
            });
            look.versions += 1;
            look.bytes += size;
        }
        Ok(())
    };
    let (read, (), _) = tokio::join!(reading, ask(stdin, versions), complaint(err));
    read
}

/// Names the objects to git, which answers in the same order.
async fn ask(mut stdin: ChildStdin, versions: &[Version]) {
    for some in versions.chunks(512) {
        let mut names = some.iter().map(|version| version.object.as_str()).collect::<Vec<_>>();
        names.push("");
        let names = names.join("\n");
        // When git ends early the reader says so.
        if stdin.write_all(names.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn pipes(child: &mut Child) -> Result<(ChildStdout, ChildStderr), String> {
    child.stdout.take().zip(child.stderr.take()).ok_or_else(|| "git gives no output".to_owned())
}

/// The beginning of what git complains about; the rest is read and dropped.
async fn complaint(err: ChildStderr) -> String {
    let mut text = Vec::new();
    let mut err = BufReader::new(err);
    let kept = (&mut err).take(COMPLAINT as u64).read_to_end(&mut text).await;
    let dropped = tokio::io::copy(&mut err, &mut tokio::io::sink()).await;
    if kept.is_err() || dropped.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn no_program(error: &std::io::Error) -> String {
    format!("the git program cannot be started: {error}")
}

fn no_repository(complaint: &str) -> String {
    if complaint.contains("not a git repository") {
        return "the folder is in no git repository".to_owned();
    }
    let line = complaint.lines().next().unwrap_or("git ended with an error");
    format!("git cannot read the repository: {line}")
}

fn broken(error: &std::io::Error) -> String {
    format!("reading from git failed: {error}")
}
