//! The Debian package, installed by dpkg itself on a copy of this machine that vanishes afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;
use launchready::cli::Cli;

use crate::{may_unshare, program, repository, said};

/// Makes the package of a version.
fn package(program: &Path, folder: &Path, version: &str) -> PathBuf {
    let mut command = Command::new(repository("packaging/debian/build"));
    command.arg(program).arg(folder).args(["-Zgzip", "-z1"]);
    command.env("LAUNCHREADY_VERSION", version).env("SOURCE_DATE_EPOCH", "1700000000");
    PathBuf::from(said(&mut command).trim())
}

/// Lays a writable layer over this machine and runs a script inside, as root.
const COPY: &str = r#"
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/whole"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/whole"
mount --bind /dev "$1/whole/dev"
mount -t proc proc "$1/whole/proc"
mkdir -p "$1/whole/packages"
mount --bind "$2" "$1/whole/packages"
exec chroot "$1/whole" /bin/bash -euc "$3"
"#;

/// What a user of the package goes through. Each line that it prints is compared below.
const LIFE: &str = r#"
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
quiet() { "$@" >/tmp/said 2>&1 || { cat /tmp/said >&2; exit 1; }; }
there() { for path; do if [ -e "$path" ]; then echo "$path"; else echo "no $path"; fi; done; }
as_agent() { setpriv --reuid=launchready --regid=launchready --clear-groups "$@"; }
config=/etc/launchready/launchready.toml
state=/var/lib/launchready

quiet dpkg --force-depends --install /packages/launchready_1.0_*.deb
stat --format '%n %U:%G %a' /usr/bin/launchready /etc/launchready "$config" \
    /lib/systemd/system/launchready.service
getent passwd launchready | cut -d: -f1,6,7
[ "$(id -u launchready)" -lt 1000 ] && echo 'a system user'
as_agent launchready --version
as_agent cat "$config" >/dev/null && echo 'it reads its config'
setpriv --reuid=65534 --regid=65534 --clear-groups cat "$config" 2>/dev/null || echo 'a stranger does not'
writes() { as_agent sh -c ': >>"$1"' sh "$1" 2>/dev/null; }
for path in "$config" /etc/launchready/new /usr/bin/launchready /usr/bin/new /lib/systemd/system/launchready.service \
    /etc/passwd /etc/new /var/lib/new; do
    if writes "$path"; then echo "it changes $path"; fi
done
quiet systemd-analyze verify --man=no /lib/systemd/system/launchready.service
grep launchready /tmp/said || true

echo '# edited' >>"$config"
install -d -o launchready -g launchready -m 700 "$state"
writes "$state/new" && echo 'it writes into its folder'
echo remembered >"$state/launchready.db"
echo mine >/etc/launchready/attestations.toml
quiet dpkg --force-depends --install /packages/launchready_1.1_*.deb
dpkg-query --show launchready
tail -n 1 "$config"
stat --format '%n %U:%G %a' "$config"

quiet dpkg --remove launchready
there /usr/bin/launchready "$config" "$state/launchready.db"
quiet dpkg --purge launchready
there "$config" "$state" /etc/launchready/attestations.toml
"#;

#[test]
fn it_is_installed_kept_removed_and_purged_as_debian_wants_it() {
    if !may_unshare("the Debian package") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let packages = folder.path().join("packages");
    for version in ["1.0", "1.1"] {
        package(&program, &packages, version);
    }
    let over = folder.path().join("over");
    std::fs::create_dir(&over).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "/bin/bash", "-euc", COPY, "copy"]);
    let told = said(command.arg(&over).arg(&packages).arg(LIFE));
    let version = said(Command::new(&program).arg("--version"));
    let wanted = [
        "/usr/bin/launchready root:root 755",
        "/etc/launchready root:launchready 750",
        "/etc/launchready/launchready.toml root:launchready 640",
        "/lib/systemd/system/launchready.service root:root 644",
        "launchready:/var/lib/launchready:/usr/sbin/nologin",
        "a system user",
        version.trim(),
        "it reads its config",
        "a stranger does not",
        // And changes nothing of the machine.
        "it writes into its folder",
        "launchready\t1.1",
        "# edited",
        "/etc/launchready/launchready.toml root:launchready 640",
        // Removed: the program alone is gone.
        "no /usr/bin/launchready",
        "/etc/launchready/launchready.toml",
        "/var/lib/launchready/launchready.db",
        // Purged: what the package made is gone, and nothing else.
        "no /etc/launchready/launchready.toml",
        "no /var/lib/launchready",
        "/etc/launchready/attestations.toml",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
}

/// The man pages of a command and of those below it.
fn pages(command: &clap::Command, name: &str) -> Vec<String> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    let below = below.flat_map(|below| pages(below, &format!("{name}-{}", below.get_name())));
    let own = format!("/usr/share/man/man1/{name}.1.gz");
    [own].into_iter().chain(below).collect()
}

#[test]
fn it_holds_what_it_should_and_the_same_bytes_each_time() {
    if !crate::support::has("the Debian package", &["dpkg-deb", "strip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let one = package(&program, &folder.path().join("one"), "1.0");
    let two = package(&program, &folder.path().join("two"), "1.0");
    assert!(std::fs::read(&one).unwrap() == std::fs::read(two).unwrap(), "a second one differs");
    let listed = said(Command::new("dpkg-deb").arg("--contents").arg(&one));
    let (manual, files): (Vec<_>, Vec<_>) = listed
        .lines()
        .map(|line| (&line[..10], line.rsplit_once(" .").unwrap().1))
        .filter(|(mode, _)| !mode.starts_with('d'))
        .partition(|(_, path)| path.starts_with("/usr/share/man/"));
    let wanted = [
        ("-rw-r-----", "/etc/launchready/launchready.toml"),
        ("-rw-r--r--", "/lib/systemd/system/launchready.service"),
        ("-rwxr-xr-x", "/usr/bin/launchready"),
        ("-rw-r--r--", "/usr/lib/sysusers.d/launchready.conf"),
        ("-rw-r--r--", "/usr/share/bash-completion/completions/launchready"),
        ("-rw-r--r--", "/usr/share/doc/launchready/NEWS.gz"),
        ("-rw-r--r--", "/usr/share/doc/launchready/changelog.gz"),
        ("-rw-r--r--", "/usr/share/doc/launchready/copyright"),
        ("-rw-r--r--", "/usr/share/fish/vendor_completions.d/launchready.fish"),
        ("-rw-r--r--", "/usr/share/lintian/overrides/launchready"),
        ("-rw-r--r--", "/usr/share/zsh/vendor-completions/_launchready"),
    ];
    assert_eq!(files, wanted);
    // A page for each command, and no other.
    assert!(manual.iter().all(|(mode, _)| *mode == "-rw-r--r--"), "{manual:?}");
    let manual: BTreeSet<String> = manual.iter().map(|(_, path)| (*path).to_owned()).collect();
    let wanted: BTreeSet<String> = pages(&Cli::command(), "launchready").into_iter().collect();
    assert_eq!(manual, wanted);
    assert!(listed.lines().all(|line| line.contains(" root/root ")), "{listed}");
    let all = said(Command::new("dpkg-deb").arg("--field").arg(&one));
    assert!(all.contains("\nVersion: 1.0\n") && all.contains("libc6 (>= 2.28)"), "{all}");
}

#[test]
fn its_config_is_a_config_and_names_the_place_that_the_unit_lets_it_write() {
    let text = std::fs::read_to_string(repository("packaging/debian/launchready.toml")).unwrap();
    let read = |text: &str| launchready::config::parse(text, Path::new("/etc/launchready"));
    let config = read(&text).unwrap();
    assert!(config.projects.is_empty());
    assert_eq!(config.settings().store.to_string(), "sqlite:/var/lib/launchready/launchready.db");
    // What is to be taken out of its comment is one too.
    let edited = text.replace("# [[project]]", "[[project]]").replace("# name =", "name =");
    let config = read(&edited.replace("# domain =", "domain =")).unwrap();
    assert_eq!(config.projects.len(), 1);
}
