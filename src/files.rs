//! Files that a person names, read no further than they may be long: a device or a pipe has no size of its own.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// It cannot be read, or it is longer ([`ErrorKind::FileTooLarge`], with a text that names the limit).
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    read_to_end(File::open(path)?, most)
}

/// Reads what something that is open still has, at most `most` bytes.
///
/// # Errors
/// Those of [`read`].
pub fn read_to_end(from: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let (limit, unit) = if most < MIB { (most / KIB, "KiB") } else { (most / MIB, "MiB") };
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is over {limit} {unit}")));
    }
    Ok(bytes)
}

/// Reads a text of at most `most` bytes.
///
/// # Errors
/// Those of [`read`], or it is no UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    text(read(path, most)?)
}

/// Bytes as a text.
///
/// # Errors
/// They are no UTF-8.
pub fn text(bytes: Vec<u8>) -> Result<String> {
    let not_text = |_bytes| Error::new(ErrorKind::InvalidData, "it is no text in UTF-8");
    String::from_utf8(bytes).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_has_no_end_or_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [b'x'; 2048]).unwrap();
        assert_eq!(read_text(&path, 2048).unwrap().len(), 2048);
        let error = read(&path, 2047).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is over 1 KiB");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 9).unwrap_err().to_string(), "it is no text in UTF-8");
        let error = read_text(Path::new("/dev/zero"), 4 * MIB).unwrap_err();
        assert_eq!(error.to_string(), "it is over 4 MiB");
        assert_eq!(read(&folder.path().join("none"), 9).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
