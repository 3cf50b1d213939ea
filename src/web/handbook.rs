//! A handbook page as HTML: headings, paragraphs and lists of our own Markdown.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

use super::show::Escaped;
use crate::report::prose;

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
        let mut block = String::new();
        let mut in_list = false;
        let mut in_fix = false;
        for line in page.lines().chain([""]) {
            let is_item = line.starts_with("- ");
            let is_heading = line.starts_with('#');
            if line.is_empty() || is_item || is_heading {
                flush(&mut out, &mut block, &mut in_list);
            }
            if is_heading {
                close(&mut out, &mut in_list);
                if line.starts_with("## ") {
                    in_fix = line == "## How to fix";
                }
                heading(&mut out, line, in_fix);
            } else if !line.is_empty() {
                if !block.is_empty() {
                    block.push(' ');
                }
                block.push_str(line.trim());
            }
        }
        close(&mut out, &mut in_list);
        Self(out)
    }
}

/// A code that stands under `How to fix` stands under `Findings` as well, where its links lead. Writing
/// into a string cannot fail.
fn heading(out: &mut String, line: &str, in_fix: bool) {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    let text = text.trim();
    _ = match depth {
        1 => Ok(()),
        2 => writeln!(out, "<h2>{}</h2>", prose(text)),
        _ if in_fix => writeln!(out, "<h3><code>{}</code></h3>", Escaped(text)),
        _ => writeln!(out, "<h3 id=\"{}\"><code>{0}</code></h3>", Escaped(text)),
    };
}

/// One paragraph or one item of a list.
fn flush(out: &mut String, block: &mut String, in_list: &mut bool) {
    if let Some(item) = block.strip_prefix("- ") {
        if !*in_list {
            out.push_str("<ul>\n");
            *in_list = true;
        }
        _ = writeln!(out, "<li>{}</li>", prose(item));
    } else if !block.is_empty() {
        close(out, in_list);
        _ = writeln!(out, "<p>{}</p>", prose(block));
    }
    block.clear();
}

fn close(out: &mut String, in_list: &mut bool) {
    if std::mem::take(in_list) {
        out.push_str("</ul>\n");
    }
}

#[cfg(test)]
mod tests {
    use launchready_checks::registry;

    use super::*;

    #[test]
    fn headings_paragraphs_and_lists_become_html_and_markup_does_not() {
        let page = "# mail-spf\n\n## Options\n\nOne `a<b`\ntwo.\n\n- `x`: first\n  of it.\n- second\n\n### spf-<b>\n\nInfo.\n";
        assert_eq!(
            Doc::new(page).to_string(),
            "<h2>Options</h2>\n<p>One <code>a&#60;b</code> two.</p>\n<ul>\n<li><code>x</code>: first of it.</li>\n\
             <li>second</li>\n</ul>\n<h3 id=\"spf-&#60;b&#62;\"><code>spf-&#60;b&#62;</code></h3>\n<p>Info.</p>\n"
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
