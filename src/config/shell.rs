//! Text as one word of a command that a person pastes into a shell.

use std::fmt::Display;

/// The text as a shell takes it for one word: as it is where no character of it means anything there, and between
/// single quotes where one does.
pub fn shell_word(text: impl Display) -> String {
    let text = text.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_more_than_the_word() {
        for plain in
            ["launchready.toml", "/etc/a_b-c.toml", "1.1.1.1:53", "a.example:443=192.0.2.1:80"]
        {
            assert_eq!(shell_word(plain), plain);
        }
        for (text, quoted) in [
            ("", "''"),
            ("our shop.toml", "'our shop.toml'"),
            ("*:443=127.0.0.1:8443", "'*:443=127.0.0.1:8443'"),
            ("[2001:db8::1]:53", "'[2001:db8::1]:53'"),
            ("~/shop.toml", "'~/shop.toml'"),
            ("$HOME;rm", "'$HOME;rm'"),
            ("it's", r"'it'\''s'"),
            ("Harbor & Sons", "'Harbor & Sons'"),
        ] {
            assert_eq!(shell_word(text), quoted);
        }
    }
}
