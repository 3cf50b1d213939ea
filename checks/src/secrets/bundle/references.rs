//! What a script refers to: further scripts and its source map.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::{Captures, Regex};
use url::Url;

/// The most scripts that one script can name; a large application has a few hundred.
const MOST: usize = 400;
/// The longest path of a script that is read.
const LONGEST_PATH: usize = 200;
/// How far a webpack runtime is read from the beginning of its table of chunks.
const TABLE_BYTES: usize = 64 * 1024;

/// webpack's function from chunk number to file: `"static/js/"+e+"."+{12:"ab"}[e]+".chunk.js"`,
/// with `({12:"name"}[e]||e)` in the middle where chunks have names. Bytes and not characters: a
/// counted repetition of a class that holds all of Unicode takes megabytes.
static TABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?-u)"(?P<prefix>[^"]{0,100})"\+(?:\(+(?P<names>\{[^{}]*\})\)?\[\w+\]\|\|\w+\)|\w+)\+"(?P<joint>[.~-])"\+\(?(?P<hashes>\{[^{}]*\})\)?\[\w+\]\+"(?P<suffix>[^"]{0,20}\.m?js)""#,
    )
    .ok()
});
/// One entry of such a table.
static ENTRY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?-u)["']?([\w-]{1,60})["']?:["']([\w~./-]{1,80})["']"#).ok());

/// The scripts that a script names, resolved; `base` is its own address.
pub(super) fn scripts(bytes: &[u8], base: &Url) -> Vec<Url> {
    let mut found = Vec::new();
    for end in ends_of_names(bytes) {
        if let Some(path) = quoted_before(bytes, end) {
            found.extend(resolved(path, base));
        }
        if found.len() >= MOST {
            break;
        }
    }
    found.extend(from_tables(bytes, base));
    found.truncate(MOST);
    found
}

/// One past each `.js` or `.mjs` that a quote or a question mark follows.
fn ends_of_names(bytes: &[u8]) -> impl Iterator<Item = usize> {
    static ENDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let texts = ["js\"", "js'", "js`", "js?", "js\\\""].map(|end| format!(".{end}"));
        let modules = ["mjs\"", "mjs'", "mjs`", "mjs\\\""].map(|end| format!(".{end}"));
        AhoCorasick::new(texts.iter().chain(&modules)).ok()
    });
    let ends = ENDS.as_ref().into_iter().flat_map(move |ends| ends.find_iter(bytes));
    let length =
        |found: &[u8]| found.iter().rposition(|byte| *byte == b's').unwrap_or_default() + 1;
    ends.map(move |found| found.start() + length(bytes.get(found.range()).unwrap_or_default()))
        .take(MOST * 4)
}

/// The path that ends here and begins after a quote, if it has a slash and a name.
fn quoted_before(bytes: &[u8], end: usize) -> Option<&str> {
    let head = bytes.get(end.saturating_sub(LONGEST_PATH)..end)?;
    let in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@~%.()[]+-/:".contains(byte);
    let start = head.iter().rposition(|byte| !in_path(byte))?;
    let path = std::str::from_utf8(head.get(start + 1..)?).ok()?;
    let (_, name) = path.rsplit_once('/')?;
    (b"\"'`".contains(head.get(start)?) && !name.starts_with('.')).then_some(path)
}

fn text<'a>(captures: &Captures<'a>, group: usize) -> Option<&'a str> {
    std::str::from_utf8(captures.get(group)?.as_bytes()).ok()
}

/// A path as it stands in a script. Bundlers write paths relative to the folder that they publish,
/// which is found again by the path's first part in the script's own address.
fn resolved(path: &str, base: &Url) -> Option<Url> {
    if path.starts_with('/') || path.starts_with('.') || path.contains("://") {
        return base.join(path).ok();
    }
    let (first, _) = path.split_once('/')?;
    let own = base.path();
    let folder = match own.find(&format!("/{first}/")) {
        Some(at) => own.get(..=at)?,
        None if path.starts_with("static/chunks/") => "/_next/",
        None => "/",
    };
    base.join(folder).ok()?.join(path).ok()
}

fn from_tables(bytes: &[u8], base: &Url) -> Vec<Url> {
    let mut found = Vec::new();
    let (Some(table), Some(entry)) = (TABLE.as_ref(), ENTRY.as_ref()) else { return found };
    for start in places(bytes, &TABLE_MARK).take(4) {
        let window = bytes.get(start..(start + TABLE_BYTES).min(bytes.len())).unwrap_or_default();
        let Some(captures) = table.captures(window) else { continue };
        let part = |name: &str| captures.name(name).map_or(&b""[..], |part| part.as_bytes());
        let string = |name: &str| String::from_utf8_lossy(part(name)).into_owned();
        let names: BTreeMap<&str, &str> = entry
            .captures_iter(part("names"))
            .filter_map(|captures| text(&captures, 1).zip(text(&captures, 2)))
            .collect();
        for captures in entry.captures_iter(part("hashes")).take(MOST) {
            let Some((number, hash)) = text(&captures, 1).zip(text(&captures, 2)) else { continue };
            let name = names.get(number).copied().unwrap_or(number);
            let (prefix, joint, suffix) = (string("prefix"), string("joint"), string("suffix"));
            found.extend(resolved(&format!("{prefix}{name}{joint}{hash}{suffix}"), base));
        }
    }
    found
}

/// What stands before the address of a source map.
const MAP_MARK_TEXT: &str = "# sourceMappingURL=";
static MAP_MARK: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new([MAP_MARK_TEXT]).ok());
/// Where webpack sets the function from chunk to file.
static TABLE_MARK: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new([".u="]).ok());

/// Where a mark stands.
fn places<'a>(
    bytes: &'a [u8],
    mark: &'static LazyLock<Option<AhoCorasick>>,
) -> impl Iterator<Item = usize> + 'a {
    mark.as_ref().into_iter().flat_map(move |mark| mark.find_iter(bytes)).map(|found| found.start())
}

/// The source map of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SourceMap {
    /// At an address.
    At(Url),
    /// Inside the script.
    Inside(Vec<u8>),
}

/// The source map that the last lines of a script, or the head of its answer, name.
pub(super) fn source_map(bytes: &[u8], header: Option<&str>, base: &Url) -> Option<SourceMap> {
    let named = places(bytes, &MAP_MARK).last().map(|at| {
        let rest = bytes.get(at + MAP_MARK_TEXT.len()..).unwrap_or_default();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let written = named.and_then(|name| std::str::from_utf8(name).ok());
    let name = written.filter(|name| !name.is_empty()).or(header)?;
    if let Some(data) = name.strip_prefix("data:") {
        let (_, base64) = data.split_once(";base64,")?;
        return STANDARD.decode(base64).ok().map(SourceMap::Inside);
    }
    base.join(name).ok().map(SourceMap::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(script: &str, base: &str) -> Vec<String> {
        let base = Url::parse(base).unwrap();
        scripts(script.as_bytes(), &base).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn vite_and_native_imports_are_followed() {
        let script = r#"const d=["assets/Cart-B1x.js","assets/Cart.css"];import("./Pay-9f.js");x="react.js";"#;
        assert_eq!(
            urls(script, "https://harbor.example/assets/index-1a.js"),
            [
                "https://harbor.example/assets/Cart-B1x.js",
                "https://harbor.example/assets/Pay-9f.js"
            ]
        );
    }

    #[test]
    fn next_manifests_and_pages_are_followed() {
        let manifest = r#"self.__BUILD_MANIFEST={"/cart":["static/chunks/pages/cart-77.js"]}"#;
        let wanted = ["https://harbor.example/_next/static/chunks/pages/cart-77.js"];
        assert_eq!(
            urls(manifest, "https://harbor.example/_next/static/b/_buildManifest.js"),
            wanted
        );
        let inline = r#"self.__next_f.push([1,"[\"static/chunks/pages/cart-77.js\"]"])"#;
        assert_eq!(urls(inline, "https://harbor.example/"), wanted);
    }

    #[test]
    fn webpack_tables_are_followed() {
        let react = r#"r.u=e=>"static/js/"+e+"."+{12:"ab12cd",34:"ef34ab"}[e]+".chunk.js""#;
        assert_eq!(
            urls(react, "https://harbor.example/static/js/main.1.js"),
            [
                "https://harbor.example/static/js/12.ab12cd.chunk.js",
                "https://harbor.example/static/js/34.ef34ab.chunk.js"
            ]
        );
        let next = r#"d.u=function(e){return"static/chunks/"+(({7:"pay"})[e]||e)+"."+({7:"aa",8:"bb"})[e]+".js"}"#;
        assert_eq!(
            urls(next, "https://harbor.example/_next/static/chunks/webpack-1.js"),
            [
                "https://harbor.example/_next/static/chunks/pay.aa.js",
                "https://harbor.example/_next/static/chunks/8.bb.js"
            ]
        );
    }

    #[test]
    fn source_maps_are_found_beside_and_inside() {
        let base = Url::parse("https://harbor.example/assets/a.js").unwrap();
        let named = source_map(b"x\n//# sourceMappingURL=a.js.map\n", None, &base);
        let wanted = Url::parse("https://harbor.example/assets/a.js.map").unwrap();
        assert_eq!(named, Some(SourceMap::At(wanted)));
        let inside = b"x\n//# sourceMappingURL=data:application/json;base64,e30=";
        assert_eq!(source_map(inside, None, &base), Some(SourceMap::Inside(b"{}".to_vec())));
        assert_eq!(source_map(b"x", None, &base), None);
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_read_without_a_panic(script in ".{0,200}(\\.u=|\\.js\"|sourceMappingURL=).{0,200}") {
            let base = Url::parse("https://harbor.example/a/b.js").unwrap();
            scripts(script.as_bytes(), &base);
            source_map(script.as_bytes(), None, &base);
        }
    }
}
