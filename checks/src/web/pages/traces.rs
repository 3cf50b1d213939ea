//! Traces of a developer's machine in a page: test keys and addresses of `localhost`.
//!
//! Only what is plainly configuration counts: attributes, `meta` elements, and assignments in inline
//! scripts. The text of a page and code that it shows may name both with good reason.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

use crate::document::{Document, Element};

/// An inline script of more bytes than this is a bundle and no configuration.
const CONFIG_BYTES: usize = 64 * 1024;
/// The most bytes of an inline script that are searched for keys.
const SCRIPT_BYTES: usize = 512 * 1024;
/// The most traces of one kind that are looked for in one page.
const TRACES: usize = 40;
/// A placeholder such as `pk_test_xxxxxxxxxxxx` has fewer different characters than this.
const DIFFERENT: usize = 6;

/// How values stand in an inline script.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// JavaScript.
    Code,
    /// A block of JSON, as `__NEXT_DATA__`.
    Json,
    /// JSON inside a string, as Next.js streams it.
    Stream,
}

struct Patterns {
    code: Option<Regex>,
    json: Option<Regex>,
    stream: Option<Regex>,
}

impl Patterns {
    /// Patterns of an assignment of a value; the value is group 2, its name group 1.
    fn of(value: &str) -> Self {
        let name = "([A-Za-z0-9_.$-]{1,60})";
        let build = |pattern: String| Regex::new(&pattern).ok();
        Self {
            code: build(format!(r#"{name}["']?\s*[:=(]\s*["'`]({value})"#)),
            json: build(format!(r#""{name}"\s*:\s*"({value})"#)),
            stream: build(format!(r#"\\"{name}\\"\s*:\s*\\"({value})"#)),
        }
    }

    const fn form(&self, form: Form) -> Option<&Regex> {
        match form {
            Form::Code => self.code.as_ref(),
            Form::Json => self.json.as_ref(),
            Form::Stream => self.stream.as_ref(),
        }
    }
}

const LOCAL: &str = r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::[0-9]{1,5})?";
const KEY: &str = "pk_test_[A-Za-z0-9]{10,200}";

static KEYS: LazyLock<Patterns> = LazyLock::new(|| Patterns::of(KEY));
static LOCALS: LazyLock<Patterns> = LazyLock::new(|| Patterns::of(LOCAL));
static BARE_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(KEY).ok());
static BARE_LOCAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("^{LOCAL}(?:[/?#]|$)")).ok());

/// The places of test keys, one line each; of a key only its beginning is kept.
pub(super) fn test_keys(document: &Document) -> Vec<String> {
    let mut lines = BTreeSet::new();
    for element in &document.elements {
        for (name, value) in element.attributes.iter().filter(|(name, _)| is_setting(element, name))
        {
            let keys = BARE_KEY.iter().flat_map(|pattern| pattern.find_iter(value));
            for key in keys.map(|found| found.as_str()).filter(|key| is_real(key)) {
                lines.insert(format!("<{} {name}>: {}", element.name, masked(key)));
            }
        }
        if let Some(form) = form_of(element) {
            let text = front(&element.text, SCRIPT_BYTES);
            for (name, key) in assigned(&KEYS, form, text) {
                if is_real(key) {
                    lines.insert(format!("inline script, {name}: {}", masked(key)));
                }
            }
        }
        if lines.len() >= TRACES {
            break;
        }
    }
    lines.into_iter().collect()
}

/// The places of addresses of the developer's own machine. On the home page links and inline
/// scripts count too; elsewhere they may belong to instructions for developers.
pub(super) fn local_addresses(document: &Document, is_home: bool) -> Vec<String> {
    let mut lines = BTreeSet::new();
    for element in &document.elements {
        let link = matches!(element.name.as_str(), "a" | "area");
        for (name, value) in &element.attributes {
            let value = value.trim();
            let counts = (is_home || !link) && is_address(name);
            let local = |pattern: &Regex| pattern.is_match(value);
            if counts && BARE_LOCAL.as_ref().is_some_and(local) && !is_library_default(value) {
                let value: String = value.chars().take(80).collect();
                lines.insert(format!("<{} {name}=\"{value}\">", element.name));
            }
        }
        if is_home
            && let Some(form) = form_of(element)
            && element.text.len() <= CONFIG_BYTES
        {
            for (name, value) in assigned(&LOCALS, form, &element.text) {
                if !is_library_default(value) {
                    lines.insert(format!("inline script, {name}: \"{value}\""));
                }
            }
        }
        if lines.len() >= TRACES {
            break;
        }
    }
    lines.into_iter().collect()
}

/// Whether the key's form is that of Clerk, whose keys are the Base64 of a host and a dollar sign.
fn vendor_of(key: &str) -> &'static str {
    let tail = key.strip_prefix("pk_test_").unwrap_or(key);
    let decoded = STANDARD_NO_PAD.decode(tail).unwrap_or_default();
    if decoded.ends_with(b"$") { "Clerk" } else { "Stripe" }
}

fn masked(key: &str) -> String {
    let front: String = key.chars().take(12).collect();
    format!("{front}… ({})", vendor_of(key))
}

fn is_real(key: &str) -> bool {
    let tail = key.strip_prefix("pk_test_").unwrap_or(key);
    tail.chars().collect::<BTreeSet<_>>().len() >= DIFFERENT
        && !["example", "your", "placeholder", "1234567890"]
            .iter()
            .any(|word| tail.to_ascii_lowercase().contains(word))
}

/// supabase-js carries `http://localhost:9999` as a default that is never used.
fn is_library_default(value: &str) -> bool {
    value.contains("://localhost:9999")
}

/// Attributes that configure something; texts for people may name a key.
fn is_setting(element: &Element, name: &str) -> bool {
    let link = matches!(element.name.as_str(), "a" | "area");
    let words = ["alt", "title", "placeholder", "class", "id", "style"];
    !link && !words.contains(&name) && !name.starts_with("aria-")
}

fn is_address(name: &str) -> bool {
    ["href", "src", "action", "formaction", "content", "poster", "data"].contains(&name)
        || name.starts_with("data-")
}

fn form_of(element: &Element) -> Option<Form> {
    if element.name != "script" || element.attribute("src").is_some() {
        return None;
    }
    let kind = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
    Some(if kind.contains("json") {
        Form::Json
    } else if element.text.contains("__next_f") {
        Form::Stream
    } else {
        Form::Code
    })
}

/// The names and values of assignments; in code, an alternative of a condition is none.
fn assigned<'a>(patterns: &Patterns, form: Form, text: &'a str) -> Vec<(&'a str, &'a str)> {
    let Some(pattern) = patterns.form(form) else { return Vec::new() };
    let found = pattern.captures_iter(text).take(TRACES).filter_map(|captures| {
        let (name, value) = (captures.get(1)?, captures.get(2)?);
        let after = text.get(value.end()..).and_then(|rest| rest.chars().next());
        let whole =
            after.is_none_or(|c| matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '\\' | '$'));
        let before = text.get(..name.start()).unwrap_or_default();
        let statement = before.rsplit(['{', ',', ';', '\n', '(']).next().unwrap_or_default();
        let conditional = statement.contains('?') || statement.trim_start().starts_with("//");
        // React's name for what an element shows to people.
        let text = name.as_str() == "children" && !matches!(form, Form::Code);
        let sure = whole && !text && !(matches!(form, Form::Code) && conditional);
        sure.then_some((name.as_str(), value.as_str()))
    });
    found.collect()
}

fn front(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(html: &str) -> Vec<String> {
        test_keys(&Document::parse(html))
    }

    fn locals(html: &str) -> Vec<String> {
        local_addresses(&Document::parse(html), true)
    }

    #[test]
    fn keys_in_settings_are_found_and_not_shown() {
        let found = keys(
            r#"<meta name="stripe-key" content="pk_test_51HarborAbCdEfGhIjKl">
            <script>window.env = { STRIPE_KEY: "pk_test_51HarborAbCdEfGhIjKl" }; Stripe('pk_test_51HarborZyXwVuTs')</script>
            <script type="application/json">{"clerk":"pk_test_Y2xlcmsuaGFyYm9yLmV4YW1wbGUk"}</script>
            <script>self.__next_f.push([1,"{\"key\":\"pk_test_51HarborMnOpQrSt\"}"])</script>"#,
        );
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found.iter().any(|line| line.contains("(Clerk)")));
        assert!(found.iter().all(|line| !line.contains("AbCdEf")));
    }

    #[test]
    fn placeholders_live_keys_and_shown_code_are_no_test_keys() {
        let found = keys(
            r#"<p>Use pk_test_51HarborAbCdEfGhIjKl</p><input placeholder="pk_test_51HarborAbCdEfGhIjKl">
            <script>a = "pk_test_xxxxxxxxxxxxxxxx"; b = "pk_live_51HarborAbCdEfGhIjKl"</script>
            <script>self.__next_f.push([1,"{\"children\":\"const k = \\\"pk_test_51HarborAbCdEfGhIjKl\\\"\"}"])</script>"#,
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn addresses_of_the_own_machine_are_found_where_they_configure() {
        let found = locals(
            r#"<meta property="og:image" content="http://localhost:3000/og.png"><a href="http://127.0.0.1:5173">x</a>
            <script>window.API_URL = "http://localhost:8000/v1"</script>
            <script type="application/json">{"api":"http://localhost:54321"}</script>"#,
        );
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn conditions_defaults_and_texts_are_nobodys_fault() {
        let found = locals(
            r#"<p>Open http://localhost:3000</p><meta name="description" content="Runs at http://localhost:3000">
            <script>const GOTRUE_URL="http://localhost:9999";
            const api = dev ? "http://localhost:3000" : "https://api.harbor.example";
            const base = prod ? live : "http://localhost:3000";
            if (origin === "http://localhost:3000") debug();
            // api = "http://localhost:3000"
            const other = "http://localhost.harbor.example";</script>"#,
        );
        assert!(found.is_empty(), "{found:?}");
        let streamed = locals(
            r#"<script>self.__next_f.push([1,"{\"children\":\"http://localhost:3000\",\"x\":1}"])</script>"#,
        );
        assert!(streamed.is_empty(), "{streamed:?}");
    }

    proptest! {
        #[test]
        fn any_page_is_searched_without_panic(text in "(?s).{0,300}") {
            let page = format!("<script>{text}</script><a href='{text}'>");
            let _found = (keys(&page), locals(&page));
        }
    }
}
