//! The files that `init` writes: a new one never over one that stands, and a merged one whole or not at
//! all.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::UsageError;
use crate::files;

/// The most bytes of a config that is added to.
const BYTES: u64 = 4 * 1024 * 1024;

/// The place of the config.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    before: Option<String>,
}

impl Place {
    /// Reads what stands there, and makes sure before the look begins that it can be written.
    pub(super) fn prepare(path: &Path) -> anyhow::Result<Self> {
        let refuse = |why: String| {
            anyhow::Error::from(UsageError(format!(
                "cannot write {}: {why}; name a file in a folder that you may write to with --out",
                path.display()
            )))
        };
        // A link stays a link: what it leads to is added to.
        let real = fs::canonicalize(path).unwrap_or_else(|_none| path.to_owned());
        let before = match fs::metadata(&real) {
            Ok(meta) if !meta.is_file() => return Err(refuse("it is no file".to_owned())),
            Ok(_) => {
                let text = files::read_text(&real, BYTES);
                Some(text.map_err(|error| refuse(error.to_string()))?)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(refuse(error.to_string())),
        };
        let trial = beside(&real);
        File::create(&trial).map_err(|error| refuse(error.to_string()))?;
        fs::remove_file(&trial).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { path: real, before })
    }

    /// What stood there.
    pub(super) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Writes the text, unless somebody has changed the file in the meantime.
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        let Some(before) = &self.before else { return create(&self.path, text, false) };
        if before == text {
            return Ok(());
        }
        let partial = beside(&self.path);
        let write = || -> std::io::Result<bool> {
            let mut file = File::create(&partial)?;
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::metadata(&self.path)?.permissions())?;
            file.sync_all()?;
            let is_same = fs::read_to_string(&self.path)? == *before;
            if is_same {
                fs::rename(&partial, &self.path)?;
            }
            Ok(is_same)
        };
        let written = write();
        if !matches!(written, Ok(true)) {
            drop(fs::remove_file(&partial));
        }
        if written.with_context(|| format!("cannot write {}", self.path.display()))? {
            return Ok(());
        }
        let text = format!(
            "{} was changed while its domain was looked at; run it again",
            self.path.display()
        );
        Err(UsageError(text).into())
    }
}

/// Writes a new file whole; an error where one stands. A private one can be read by its owner alone, and
/// so can its copies.
pub(super) fn create(path: &Path, text: &str, is_private: bool) -> anyhow::Result<()> {
    let partial = beside(path);
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if is_private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let mut file = options.open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link, unlike a rename, never takes the place of a file that stands.
        fs::hard_link(&partial, path)
    };
    let written = write();
    drop(fs::remove_file(&partial));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => UsageError(format!(
            "{} has come up while the domain was looked at; run it again",
            path.display()
        ))
        .into(),
        _ => anyhow::Error::from(error).context(format!("cannot write {}", path.display())),
    })
}

/// Whether a folder lies in a repository of git whose `.gitignore` files do not name `.env`.
pub(super) fn git_takes_env(folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let Some(root) = folder.ancestors().find(|above| above.join(".git").exists()) else {
        return false;
    };
    let within = folder.ancestors().take_while(|above| above.starts_with(root));
    let ignored = within.into_iter().any(|above| {
        let rules = fs::read_to_string(above.join(".gitignore")).unwrap_or_default();
        rules.lines().any(|rule| {
            matches!(
                rule.trim().trim_start_matches('/'),
                ".env" | ".env*" | "*.env" | ".env.*" | "**/.env"
            )
        })
    });
    !ignored
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_up_meanwhile_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("launchready.toml");
        let place = Place::prepare(&path).unwrap();
        assert_eq!(place.before(), None);
        fs::write(&path, "mine").unwrap();
        assert!(place.write("ours").unwrap_err().to_string().contains("run it again"));
        let place = Place::prepare(&path).unwrap();
        fs::write(&path, "changed").unwrap();
        assert!(place.write("ours").unwrap_err().to_string().contains("run it again"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "changed");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay_and_a_private_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
        fs::write(&real, "mine").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        Place::prepare(&link).unwrap().write("mine and more").unwrap();
        assert_eq!(
            (mode(&real), fs::read_to_string(&real).unwrap().as_str()),
            (0o640, "mine and more")
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let private = folder.path().join(".env.example");
        create(&private, "A=\n", true).unwrap();
        assert_eq!(mode(&private), 0o600);
        assert!(create(&private, "B=\n", true).is_err());
        assert_eq!(fs::read_to_string(&private).unwrap(), "A=\n");
    }

    #[test]
    fn a_repository_that_would_take_the_secrets_along_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!git_takes_env(folder.path()));
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("ops")).unwrap();
        assert!(git_takes_env(&folder.path().join("ops")));
        fs::write(folder.path().join(".gitignore"), "target\n.env\n").unwrap();
        assert!(!git_takes_env(&folder.path().join("ops")));
    }
}
