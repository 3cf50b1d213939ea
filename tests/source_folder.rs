//! A folder with git, hidden files and build output, read through the port.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "support/missing.rs"]
mod missing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use launchready::probe::FilesProbe;
use launchready_checks::probe::{FileLook, Files as _, Folder};

/// A folder that is removed again.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("launchready-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=Harbor", "-c", "user.email=dev@harbor.example"])
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

/// What was handed out: path and whether it is a version in history, with text and tracking.
type Handed = BTreeMap<(String, bool, String), Option<bool>>;

async fn walk(path: &Path, history: bool, max_file_bytes: u64) -> (FileLook, Handed) {
    let handed = Mutex::new(Handed::new());
    let folder = Folder { path: path.display().to_string(), history, max_file_bytes };
    let look = FilesProbe
        .walk(folder, &|file| {
            let text = String::from_utf8_lossy(file.bytes).into_owned();
            let key = (file.path.to_owned(), file.commit.is_some(), text);
            assert!(file.commit.is_none_or(|commit| commit.len() == 8));
            handed.lock().unwrap().insert(key, file.tracked);
        })
        .await
        .unwrap();
    (look, handed.into_inner().unwrap())
}

fn key(path: &str, history: bool, text: &str) -> (String, bool, String) {
    (path.to_owned(), history, text.to_owned())
}

fn has_git() -> bool {
    Command::new("git").arg("--version").output().is_ok()
        || missing::lacks("source_folder", "git is not installed")
}

#[tokio::test(flavor = "multi_thread")]
async fn ignored_files_build_output_and_every_version_are_read() {
    if !has_git() {
        return;
    }
    let folder = Scratch::new("source");
    folder.git(&["init", "-q"]);
    folder.write(".gitignore", ".env\ndist/\nnode_modules/\n");
    folder.write("src/pay.ts", "first");
    folder.write("a b\u{e9}.txt", "name");
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "One"]);
    folder.write("src/pay.ts", "second");
    folder.write("empty.ts", "");
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "Two"]);
    folder.git(&["rm", "-q", "a b\u{e9}.txt"]);
    folder.git(&["commit", "-qm", "Three"]);
    folder.write(".env", "secret");
    folder.write("dist/app.js", "built");
    folder.write("node_modules/x/index.js", "theirs");
    folder.write("large.bin", &"x".repeat(2000));

    let (look, handed) = walk(&folder.0, true, 1000).await;
    let wanted = [
        (key(".env", false, "secret"), Some(false)),
        (key(".gitignore", false, ".env\ndist/\nnode_modules/\n"), Some(true)),
        (key(".gitignore", true, ".env\ndist/\nnode_modules/\n"), None),
        (key("a b\u{e9}.txt", true, "name"), None),
        (key("dist/app.js", false, "built"), Some(false)),
        (key("empty.ts", false, ""), Some(true)),
        (key("empty.ts", true, ""), None),
        (key("src/pay.ts", false, "second"), Some(true)),
        (key("src/pay.ts", true, "first"), None),
        (key("src/pay.ts", true, "second"), None),
    ];
    assert_eq!(handed, wanted.into_iter().collect());
    assert_eq!((look.files, look.versions), (5, 5));
    assert_eq!(look.too_large, ["large.bin"]);
    assert_eq!((look.no_history, look.stopped, look.unreadable.len()), (None, None, 0));

    // A folder within the repository is read by itself.
    let (look, handed) = walk(&folder.0.join("src"), true, 1000).await;
    assert_eq!((look.files, look.versions), (1, 2));
    assert_eq!(handed.get(&key("pay.ts", false, "second")), Some(&Some(true)));
}

#[tokio::test]
async fn a_folder_without_git_says_so() {
    let folder = Scratch::new("plain");
    folder.write("a/b.txt", "text");
    let (look, handed) = walk(&folder.0, true, 1000).await;
    assert_eq!(handed, [(key("a/b.txt", false, "text"), None)].into_iter().collect());
    assert!(look.no_history.is_some_and(|reason| reason.contains("git")));
    let (look, handed) = walk(&folder.0.join("missing"), false, 1000).await;
    assert_eq!((look.files, look.unreadable.len(), handed.len()), (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_cannot_make_us_run_its_programs() {
    if !has_git() {
        return;
    }
    let folder = Scratch::new("hostile");
    folder.git(&["init", "-q"]);
    folder.write("a.txt", "one");
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "One"]);
    let proof = folder.0.join("ran");
    let program = format!("touch {}", proof.display());
    for setting in
        ["core.fsmonitor", "diff.external", "core.pager", "diff.x.textconv", "filter.x.smudge"]
    {
        folder.git(&["config", setting, &program]);
    }
    folder.write(".git/info/attributes", "* diff=x filter=x\n");
    let (look, _) = walk(&folder.0, true, 1000).await;
    assert_eq!((look.files, look.versions), (1, 1));
    assert!(!proof.exists());
}
