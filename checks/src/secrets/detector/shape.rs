//! What a value and its surroundings must look like: alphabets, boundaries, placeholders.

/// Letters and digits.
pub(super) fn is_alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// The alphabet of base64url.
pub(super) fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The alphabet of base64 without its padding.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// Lower-case hexadecimal digits.
pub(super) fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// What may stand in an identifier.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The byte at a place, if there is one that far from the end.
pub(super) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// The byte so far before a place.
pub(super) fn before(bytes: &[u8], at: usize, back: usize) -> Option<u8> {
    byte(bytes, at.checked_sub(back)?)
}

/// The end of the run of bytes of an alphabet that begins at `from`, at most `limit` bytes on.
pub(super) fn run_end(bytes: &[u8], from: usize, limit: usize, alphabet: fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take(limit).take_while(|byte| alphabet(**byte)).count()
}

/// The beginning of the run of bytes of an alphabet that ends before `to`, at most `limit` back.
pub(super) fn run_start(bytes: &[u8], to: usize, limit: usize, alphabet: fn(u8) -> bool) -> usize {
    let head = bytes.get(..to).unwrap_or_default();
    to - head.iter().rev().take(limit).take_while(|byte| alphabet(**byte)).count()
}

/// Whether a word may begin here: after no letter, digit or underscore, unless those are the end
/// of an escape such as `\n`, `\x22`, `\u0022` or `%22`.
pub(super) fn starts_word(bytes: &[u8], at: usize) -> bool {
    let Some(last) = before(bytes, at, 1) else { return true };
    !is_word(last) || follows_escape(bytes, at)
}

/// Whether the bytes before are an escape that ends in a letter or digit.
pub(super) fn follows_escape(bytes: &[u8], at: usize) -> bool {
    let back = |n| before(bytes, at, n).unwrap_or(b' ');
    let hex = |n: usize| (1..=n).all(|n| back(n).is_ascii_hexdigit());
    (back(2) == b'\\' && b"nrtbfv0".contains(&back(1)))
        || (hex(2) && (back(3) == b'%' || (back(3) == b'x' && back(4) == b'\\')))
        || (hex(4) && back(5) == b'u' && back(6) == b'\\')
}

/// Words that stand in a key that is none.
const PLACEHOLDER_WORDS: [&[u8]; 12] = [
    b"example",
    b"placeholder",
    b"redacted",
    b"changeme",
    b"change_me",
    b"replaceme",
    b"replace_",
    b"your_",
    b"your-",
    b"secret_key",
    b"_here",
    b"-here",
];

/// Whether the changing part of a key looks drawn at random: no placeholder word, no long
/// repetition or sequence, several characters of more than one class.
///
/// The bounds leave random keys of twenty characters a chance below one in a million to fail.
pub(super) fn is_random(body: &[u8]) -> bool {
    let (mut repeated, mut rising, mut last) = (1, 1, 0_u8);
    let mut seen = [false; 256];
    for &byte in body {
        repeated = if byte == last { repeated + 1 } else { 1 };
        rising = if byte == last.wrapping_add(1) { rising + 1 } else { 1 };
        if repeated >= 6 || rising >= 7 {
            return false;
        }
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
        last = byte;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let has = |class: fn(&u8) -> bool| usize::from(body.iter().any(class));
    let classes =
        has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit);
    distinct >= 8.min(body.len() / 2) && classes >= 2 && !has_placeholder_word(body)
}

/// Whether a placeholder word stands somewhere, whatever its case.
pub(super) fn has_placeholder_word(body: &[u8]) -> bool {
    PLACEHOLDER_WORDS.iter().any(|word| contains_ignoring_case(body, word))
}

/// Whether `part` stands somewhere in `bytes`, whatever the case. For short texts.
pub(super) fn contains_ignoring_case(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part))
}

/// The first place of `part` in `bytes`. For short texts.
pub(super) fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len().max(1)).position(|window| window == part)
}

/// Where the value begins that is assigned after a name: past its closing quote, one of `:` `=`
/// `,`, blanks and an opening quote, escaped or not.
pub(super) fn assigned_value(bytes: &[u8], after_name: usize) -> Option<usize> {
    const MOST: usize = 16;
    let between = |byte: u8| b" \t\"'`\\:=>,(".contains(&byte);
    let start = run_end(bytes, after_name, MOST, between);
    let skipped = bytes.get(after_name..start)?;
    skipped.iter().any(|byte| b":=,(".contains(byte)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_after_anything_but_a_word_or_after_an_escape() {
        for (text, wanted) in [
            ("key", true),
            ("\"key", true),
            ("-key", true),
            ("akey", false),
            ("_key", false),
            ("\\nkey", true),
            ("nkey", false),
            ("%22key", true),
            ("\\u0022key", true),
            ("\\x22key", true),
            ("22key", false),
        ] {
            assert_eq!(starts_word(text.as_bytes(), text.len() - 3), wanted, "{text}");
        }
    }

    #[test]
    fn placeholders_are_not_random() {
        for body in [
            "xxxxxxxxxxxxxxxxxxxxxxxx",
            "000000000000000000000000",
            "IOSFODNN7EXAMPLE",
            "thisisnotarealkeyatallreally",
            "1234567890abcdefghij",
            "YOUR_KEY_HERE_1234",
        ] {
            assert!(!is_random(body.as_bytes()), "{body}");
        }
        assert!(is_random(b"Zk3PqLm8Tn2VbXc7Rw5YsGh1"));
    }
}
