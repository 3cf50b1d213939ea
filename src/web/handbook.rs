//! A handbook page as HTML: headings, paragraphs and lists of our own Markdown.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

use super::show::Escaped;
use crate::report::{Block, blocks, prose};

/// The HTML of a page.
#[derive(Debug, Clone)]
pub(super) struct Doc(String);

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Doc {}

impl Doc {
    /// Draws everything below the first heading, which the page of the agent shows by itself. A heading
    /// of the third level is a finding code and can be linked to, where it says what is found.
    pub(super) fn new(page: &str) -> Self {
        let mut out = String::new();
        let mut in_list = false;
        let mut in_fix = false;
        for block in blocks(page) {
            let is_item = matches!(block, Block::Item(_));
            if is_item && !in_list {
                out.push_str("<ul>\n");
            } else if in_list && !is_item && block != Block::Gap {
                out.push_str("</ul>\n");
            }
            in_list = is_item || (in_list && block == Block::Gap);
            // Writing into a string cannot fail.
            _ = match block {
                Block::Heading(depth, text) => {
                    if depth == 2 {
                        in_fix = text == "How to fix";
                    }
                    heading(&mut out, depth, text, in_fix)
                }
                Block::Item(text) => writeln!(out, "<li>{}</li>", prose(&text)),
                Block::Paragraph(text) => writeln!(out, "<p>{}</p>", prose(&text)),
                Block::Code(lines) => writeln!(out, "<pre>{}</pre>", Escaped(&lines.join("\n"))),
                Block::Gap => Ok(()),
            };
        }
        if in_list {
            out.push_str("</ul>\n");
        }
        Self(out)
    }
}

/// A code that stands under `How to fix` stands under `Findings` as well, where its links lead.
fn heading(out: &mut String, depth: usize, text: &str, in_fix: bool) -> fmt::Result {
    match depth {
        1 => Ok(()),
        2 => writeln!(out, "<h2>{}</h2>", prose(text)),
        _ if in_fix => writeln!(out, "<h3><code>{}</code></h3>", Escaped(text)),
        _ => writeln!(out, "<h3 id=\"{}\"><code>{0}</code></h3>", Escaped(text)),
    }
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
    fn every_handbook_page_is_drawn_without_a_rest_of_markdown() {
        for plugin in registry::ALL {
            let html = Doc::new(plugin.meta.doc).to_string();
            for rest in ["<p>#", "<p>- ", "<p>|", "```", "**"] {
                assert!(!html.contains(rest), "{}: {rest}", plugin.meta.id);
            }
            assert_eq!(html.matches("<ul>").count(), html.matches("</ul>").count());
            for spec in plugin.meta.findings {
                let id = format!("id=\"{}\"", spec.code);
                assert_eq!(html.matches(&id).count(), 1, "{}", spec.code);
            }
        }
    }
}
