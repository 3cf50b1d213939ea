//! `.env.example`: the variables that the config names, without their values.

use std::fmt::Write as _;

use super::Draft;

/// The most characters of a public key that is written down.
const KEY_CHARS: usize = 2048;

const HEAD: &str = "\
# Credentials that launchready.toml names. Copy this file, fill it in, and keep the copy out of git:
#   cp .env.example .env
#   set -a; . ./.env; set +a
# Write each value between its single quotes, and keep the single quotes: without them a shell
# reads the & and the $ of a database's address as its own. A ' inside a value is written as '\\''.
# What stays empty is skipped, and the report says so.
";

impl Draft<'_> {
    /// The file, with each variable beside what it is and where it is made.
    pub fn env_example(&self) -> String {
        let mut text = HEAD.to_owned();
        for (_, lines) in self.variables() {
            _ = write!(text, "\n{lines}");
        }
        text
    }

    /// Each variable with the lines that belong to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for addition in self.additions() {
            let Some(wanted) = addition.wanted else { continue };
            for credential in wanted.access.credentials {
                let name = self.variable(credential.suffix);
                let mut lines = format!("# {}: {}.\n", wanted.access.title, credential.about);
                let public = self.public_value(wanted.access.word, credential.key);
                match &public {
                    Some(_) => {
                        lines += "# It is public: every browser that opens the page is given it.\n";
                    }
                    None => _ = writeln!(lines, "# {}", wanted.access.create),
                }
                _ = writeln!(lines, "{name}='{}'", public.unwrap_or_default());
                all.push((name, lines));
            }
        }
        all
    }

    /// The value of a credential that is public by design, where the page shows it.
    fn public_value(&self, word: &str, key: &str) -> Option<String> {
        let supabase =
            self.stack.supabase.as_ref().filter(|_| (word, key) == ("supabase", "public_key"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let fits = |key: &String| key.len() <= KEY_CHARS && key.chars().all(plain);
        supabase.public_key.clone().filter(fits)
    }
}
