//! A handbook page as HTML: headings, paragraphs and lists of our own Markdown.

use std::fmt::{self, Write as _};

use askama::filters::{Escaper as _, Html, HtmlSafe};

use crate::report::{Block, Piece, blocks, pieces};

/// The HTML of a page.
#[derive(Debug, Clone)]
pub(crate) struct Doc(String);

/// Where a word that stands as code leads, or nowhere.
type Links<'a> = &'a dyn Fn(&str) -> Option<String>;

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Doc {}

impl Doc {
    /// Draws everything below the first heading, which every page shows by itself. A heading of the third
    /// level is a finding code and can be linked to, where it says what is found.
    pub(crate) fn new(page: &str) -> Self {
        Self::linked(page, &|_| None)
    }

    /// The same, where a word that stands as code can lead to a page.
    pub(crate) fn linked(page: &str, links: Links<'_>) -> Self {
        let mut out = String::new();
        let mut list: Option<&str> = None;
        let mut in_fix = false;
        for block in blocks(page) {
            let wanted = match block {
                Block::Item(_) => Some("ul"),
                Block::Step(..) => Some("ol"),
                Block::Gap => list,
                _ => None,
            };
            if wanted != list {
                // Writing into a string cannot fail.
                _ = list.map_or(Ok(()), |open| writeln!(out, "</{open}>"));
                _ = wanted.map_or(Ok(()), |open| writeln!(out, "<{open}>"));
                list = wanted;
            }
            _ = match block {
                Block::Heading(depth, text) => {
                    if depth == 2 {
                        in_fix = text == "How to fix";
                    }
                    heading(&mut out, depth, text, in_fix, links)
                }
                Block::Item(text) | Block::Step(_, text) => {
                    writeln!(out, "<li>{}</li>", words(&text, links))
                }
                Block::Paragraph(text) => writeln!(out, "<p>{}</p>", words(&text, links)),
                Block::Code(lines) => writeln!(out, "<pre>{}</pre>", escaped(&lines.join("\n"))),
                Block::Gap => Ok(()),
            };
        }
        if let Some(open) = list {
            _ = writeln!(out, "</{open}>");
        }
        Self(out)
    }

    /// One text of ours, such as why a finding matters.
    pub(crate) fn words(text: &str, links: Links<'_>) -> Self {
        Self(words(text, links))
    }
}

/// A code that stands under `How to fix` stands under `Findings` as well, where its links lead.
fn heading(
    out: &mut String,
    depth: usize,
    text: &str,
    in_fix: bool,
    links: Links<'_>,
) -> fmt::Result {
    match depth {
        1 => Ok(()),
        2 => writeln!(out, "<h2>{}</h2>", words(text, links)),
        _ if in_fix => writeln!(out, "<h3><code>{}</code></h3>", escaped(text)),
        _ => writeln!(out, "<h3 id=\"{}\"><code>{0}</code></h3>", escaped(text)),
    }
}

/// A text in which what stands between two backticks is code, and leads where it can.
fn words(text: &str, links: Links<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for piece in pieces(text) {
        match piece {
            Piece::Plain(words) => out.push_str(&escaped(words)),
            Piece::Code(code) => {
                let drawn = format!("<code>{}</code>", escaped(code));
                _ = match links(code) {
                    Some(to) => write!(out, "<a href=\"{}\">{drawn}</a>", escaped(&to)),
                    None => write!(out, "{drawn}"),
                };
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    // A string takes everything.
    _ = Html.write_escaped_str(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use launchready_checks::registry;

    use super::*;

    #[test]
    fn headings_paragraphs_and_lists_become_html_and_markup_does_not() {
        let page = "# mail-spf\n\n## Options\n\nOne `a<b`\ntwo.\n\n- `x`: first\n  of it.\n- second\n\n### spf-<b>\n\nInfo.\n\n```toml\na = \"<b>\"\n\n# x\n```\n";
        assert_eq!(
            Doc::new(page).to_string(),
            "<h2>Options</h2>\n<p>One <code>a&#60;b</code> two.</p>\n<ul>\n<li><code>x</code>: first of it.</li>\n\
             <li>second</li>\n</ul>\n<h3 id=\"spf-&#60;b&#62;\"><code>spf-&#60;b&#62;</code></h3>\n<p>Info.</p>\n<pre>a = &#34;&#60;b&#62;&#34;\n\n# x</pre>\n"
        );
    }

    #[test]
    fn steps_are_numbered_and_known_words_lead_somewhere() {
        let links = |word: &str| (word == "spf-missing").then(|| "mail-spf.html#x\"".to_owned());
        let page = "1. See `spf-missing`.\n2. Not `other`.\n\n- and\n";
        assert_eq!(
            Doc::linked(page, &links).to_string(),
            "<ol>\n<li>See <a href=\"mail-spf.html#x&#34;\"><code>spf-missing</code></a>.</li>\n\
             <li>Not <code>other</code>.</li>\n</ol>\n<ul>\n<li>and</li>\n</ul>\n"
        );
    }

    #[test]
    fn every_handbook_page_is_drawn_without_a_rest_of_markdown() {
        for plugin in registry::ALL {
            let html = Doc::new(plugin.meta.doc).to_string();
            for rest in ["<p>#", "<p>- ", "<p>|", "<p>1. ", "```", "**"] {
                assert!(!html.contains(rest), "{}: {rest}", plugin.meta.id);
            }
            for list in ["ul>", "ol>"] {
                let opened = html.matches(&format!("<{list}")).count();
                assert_eq!(opened, html.matches(&format!("</{list}")).count());
            }
            for spec in plugin.meta.findings {
                let id = format!("id=\"{}\"", spec.code);
                assert_eq!(html.matches(&id).count(), 1, "{}", spec.code);
            }
        }
    }
}
