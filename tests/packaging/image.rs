//! The image: its root folder is put together from the lines of the Dockerfile alone, and the agent runs in
//! it as they say: read-only, without root, with one volume.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{may_unshare, program, repository, said};

/// The instructions of the Dockerfile, each with its arguments; lines that go on are one.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository("packaging/Dockerfile")).unwrap();
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// The arguments of an instruction that stands once.
fn only(name: &str) -> String {
    let all = instructions();
    let mut found = all.into_iter().filter(|(found, _)| found == name);
    let (_, rest) = found.next().unwrap_or_else(|| panic!("the Dockerfile has no {name}"));
    assert!(found.next().is_none(), "{name} stands twice");
    rest
}

/// A command as a list of words, without a shell.
fn words(text: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(text).unwrap();
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn it_runs_without_root_and_needs_no_shell() {
    let user = only("USER");
    let (uid, gid) = user.split_once(':').unwrap();
    // A number: a supervisor sees that it is not root without looking into the image.
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    let base = only("ARG");
    assert!(base.starts_with("BASE=gcr.io/distroless/base-"), "a C library and no shell: {base}");
    assert_eq!(only("FROM"), "${BASE}", "another base, or a digest of it, can be named");
    let names: Vec<String> = instructions().into_iter().map(|(name, _)| name).collect();
    let refused = ["RUN", "ADD", "SHELL"];
    assert!(!names.iter().any(|name| refused.contains(&name.as_str())), "{names:?}");
    assert_eq!(words(&only("VOLUME")), ["/var/lib/launchready"]);
    assert!(only("LABEL").contains("org.opencontainers.image.licenses=\"Apache-2.0\""));
    assert_eq!(only("EXPOSE"), "9797");
    assert_eq!(only("ENV"), "MALLOC_ARENA_MAX=1", "as in the unit");
}

/// Stands in for docker: it notes what it is told, and knows what a tag leads to.
const DOCKER: &str = r#"#!/bin/sh
printf '%s\n' "$*" >>"$TOLD"
case "$1 $2" in 'image inspect') echo 'gcr.io/distroless/base-debian12@sha256:0a1b' ;; esac
"#;

#[test]
fn it_is_built_on_a_base_that_is_named_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let (docker, told) = (folder.path().join("docker"), folder.path().join("told"));
    std::fs::write(&docker, DOCKER).unwrap();
    std::fs::set_permissions(&docker, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), crate::variable("PATH").unwrap());
    let build = |base: Option<&str>| {
        let mut command = Command::new(repository("packaging/image"));
        command.arg(folder.path()).env("PATH", &path).env("TOLD", &told);
        command.env_remove("TAG").env_remove("BASE").envs(base.map(|base| ("BASE", base)));
        std::fs::write(&told, "").unwrap();
        let named = said(&mut command);
        let kept = std::fs::read_to_string(folder.path().join("image/IMAGE_BASE")).unwrap();
        assert_eq!(named, kept);
        (kept.trim().to_owned(), std::fs::read_to_string(&told).unwrap())
    };
    let (base, told) = build(None);
    assert_eq!(base, "gcr.io/distroless/base-debian12@sha256:0a1b");
    let tag = only("ARG").replace("BASE=", "");
    assert!(told.starts_with(&format!("pull --quiet {tag}\n")), "{told}");
    assert!(told.contains(&format!("\nbuild --build-arg BASE={base} --file ")), "{told}");
    // Whoever names a digest gets that one, without asking what the tag leads to.
    let (base, told) = build(Some("mirror.harbor.example/base@sha256:9f"));
    assert_eq!(base, "mirror.harbor.example/base@sha256:9f");
    assert!(told.starts_with(&format!("build --build-arg BASE={base} ")), "{told}");
}

/// Runs the agent in the folder `$1` as user `$2`, asks for its health as `$3` says, and starts it as `$4`.
const RUN: &str = r#"
ip link set lo up
mount --bind "$1" "$1"
mkdir -p "$1/proc"
mount -t proc proc "$1/proc"
mount --bind "$1/../config" "$1/etc/launchready"
mount --bind "$1/../volume" "$1/var/lib/launchready"
mount -o remount,ro,bind "$1"
inside() { chroot --userspec="$user" "$root" "$@"; }
root=$1 user=$2
read -ra health <<<"$3"
read -ra start <<<"$4"
! inside "${health[@]}" 2>/dev/null && echo 'ill before it runs'
chroot --userspec="$user" "$root" "${start[@]}" >"$root/../log" 2>&1 &
agent=$!
for _ in $(seq 600); do
    if inside "${health[@]}" >"$root/../health" 2>&1; then break; fi
    if ! kill -0 "$agent" 2>/dev/null; then cat "$root/../log" >&2; exit 1; fi
    sleep 0.1
done
cat "$root/../health"
sed -n 's/^Uid:[[:space:]]*\([0-9]*\)[[:space:]].*/user \1/p' "/proc/$agent/status"
stat --format '%n %u:%g %a' "$root/var/lib/launchready" "$root/var/lib/launchready/launchready.db" |
    sed "s#^$root##"
touch "$root/anything" 2>/dev/null || echo 'nothing else can be written'
kill -TERM "$agent"
wait "$agent" && echo 'it ended well'
"#;

/// Lays the files of the `COPY` lines below a folder, with the libraries that the base brings.
fn assemble(context: &Path, root: &Path) {
    let program = context.join("launchready");
    let libraries = said(Command::new("ldd").arg(&program));
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(&library[1..]);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(library, to).unwrap();
    }
    let mut copied = 0;
    for (_, rest) in instructions().into_iter().filter(|(name, _)| name == "COPY") {
        let (options, paths): (Vec<&str>, Vec<&str>) =
            rest.split_whitespace().partition(|word| word.starts_with("--"));
        let [from, to] = paths[..] else { panic!("{rest}") };
        let (from, to) = (context.join(from), root.join(&to[1..]));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        said(Command::new("cp").args(["--recursive", "--no-target-directory"]).arg(from).arg(&to));
        for option in options {
            match option.split_once('=').unwrap() {
                ("--chmod", mode) => {
                    let mode = u32::from_str_radix(mode, 8).unwrap();
                    std::fs::set_permissions(&to, Permissions::from_mode(mode)).unwrap();
                }
                ("--chown", owner) => {
                    said(Command::new("chown").arg(owner).arg(&to));
                }
                _ => panic!("{option}"),
            }
        }
        copied += 1;
    }
    assert_eq!(copied, 2, "the program, and where the store is");
}

#[test]
fn the_agent_runs_in_it_read_only_and_says_that_it_lives() {
    if !may_unshare("the image") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The way to it is open for the user of the image.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let make = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let (context, root, config) = (make("context"), make("root"), make("config"));
    make("context/state");
    make("root/etc/launchready");
    program(&context);
    assemble(&context, &root);
    // A new volume begins as a copy of what the image has there.
    let mut volume = Command::new("cp");
    volume.arg("--archive").arg(root.join("var/lib/launchready")).arg(folder.path().join("volume"));
    said(&mut volume);
    let text = "[agent]\nlisten = \"0.0.0.0:9797\"\n\
                store = \"sqlite:/var/lib/launchready/launchready.db\"\n\
                [agent.auth]\npassword = { file = \"password\" }\n\
                [network]\nresolvers = [\"127.0.0.1:9\"]\n\
                [[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";
    std::fs::write(config.join("launchready.toml"), text).unwrap();
    std::fs::write(config.join("password"), "the-page-of-the-image-7Qx").unwrap();
    let health = only("HEALTHCHECK");
    let health = words(health.split_once(" CMD ").unwrap().1).join(" ");
    let start = [words(&only("ENTRYPOINT")), words(&only("CMD"))].concat().join(" ");
    let user = only("USER");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--propagation", "private", "/bin/bash", "-euc", RUN, "run"]);
    let told = said(command.arg(&root).args([&user, &health, &start]));
    let uid = user.split(':').next().unwrap();
    let wanted = [
        "ill before it runs",
        "the agent at 127.0.0.1:9797 lives",
        &format!("user {uid}"),
        &format!("/var/lib/launchready {user} 700"),
        &format!("/var/lib/launchready/launchready.db {user} 600"),
        "nothing else can be written",
        "it ended well",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
}
