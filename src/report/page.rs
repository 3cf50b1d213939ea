//! A handbook page as text for a terminal.

use std::fmt::Write as _;

use super::Paint;

/// Draws a page of our own: headings, paragraphs of one sentence a line, lists, and text between fences,
/// which stays as it is so that it can be copied.
pub fn page_to_terminal(page: &str, paint: Paint) -> String {
    let mut out = String::new();
    let mut block = String::new();
    let mut is_fenced = false;
    for line in page.lines().chain([""]) {
        let is_fence = line.starts_with("```");
        if is_fence || is_fenced {
            paint.block(&block, &mut out);
            block.clear();
            is_fenced ^= is_fence;
            if !is_fence {
                out.push_str(line);
                out.push('\n');
            }
            continue;
        }
        let is_heading = line.starts_with('#');
        let is_item = line.starts_with("- ");
        if is_heading || is_item || line.is_empty() {
            paint.block(&block, &mut out);
            block.clear();
        }
        if is_heading {
            paint.page_heading(line, &mut out);
        } else if line.is_empty() {
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
        } else {
            if !block.is_empty() {
                block.push(' ');
            }
            block.push_str(line.trim());
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

impl Paint {
    fn page_heading(self, line: &str, out: &mut String) {
        let text = line.trim_start_matches('#').trim();
        _ = writeln!(out, "{}", self.bold(text));
        if !line.starts_with("###") {
            let rule = if line.starts_with("##") { "─" } else { "═" };
            _ = writeln!(out, "{}", self.dim(&rule.repeat(text.chars().count())));
        }
    }

    /// One paragraph or one item of a list.
    fn block(self, text: &str, out: &mut String) {
        if text.is_empty() {
            return;
        }
        let indent = if text.starts_with("- ") { 2 } else { 0 };
        for (index, line) in self.lines(text, indent).iter().enumerate() {
            let space = if index == 0 { 0 } else { indent };
            _ = writeln!(out, "{}{line}", " ".repeat(space));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_text() {
        let page = "# mail-spf\n\n## Options\n\nOne\ntwo.\n\n- `a`: first; default `2`.\n- second of them, which is long enough.\n\n### code\n\nCritical.\n";
        let text = page_to_terminal(page, Paint { colour: false, width: 40 });
        assert_eq!(
            text,
            "mail-spf\n════════\n\nOptions\n───────\n\nOne two.\n\n- `a`: first; default `2`.\n\
             - second of them, which is long\n  enough.\n\ncode\n\nCritical.\n"
        );
    }

    #[test]
    fn what_stands_between_fences_can_be_copied() {
        let page = "Type\nthis:\n\n```sh\nlaunchready agent --config /etc/launchready/launchready.toml\n\n# on\n```\n\nand wait.\n";
        assert_eq!(
            page_to_terminal(page, Paint { colour: false, width: 40 }),
            "Type this:\n\nlaunchready agent --config /etc/launchready/launchready.toml\n\n# on\n\nand wait.\n"
        );
    }
}
