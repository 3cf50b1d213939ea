//! A handbook page as text for a terminal.

use std::fmt::Write as _;

use super::Paint;

/// Draws a page of our own: headings, paragraphs of one sentence a line, lists, and text between fences,
/// which stays as it is so that it can be copied.
pub fn page_to_terminal(page: &str, paint: Paint) -> String {
    let mut out = String::new();
    for block in blocks(page) {
        match block {
            Block::Heading(depth, text) => paint.page_heading(depth, text, &mut out),
            Block::Item(text) => paint.block("- ", &text, &mut out),
            Block::Step(number, text) => paint.block(&format!("{number}. "), &text, &mut out),
            Block::Paragraph(text) => paint.block("", &text, &mut out),
            Block::Code(lines) => {
                for line in lines {
                    out.push_str(line);
                    out.push('\n');
                }
            }
            Block::Gap if out.is_empty() || out.ends_with("\n\n") => {}
            Block::Gap => out.push('\n'),
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A piece of a handbook page, in the Markdown that our pages keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block<'a> {
    /// How deep it is, from 1, and its text.
    Heading(usize, &'a str),
    /// One item of a list, on one line.
    Item(String),
    /// One numbered step, on one line.
    Step(u32, String),
    /// On one line.
    Paragraph(String),
    /// Lines between fences, which are copied as they are.
    Code(Vec<&'a str>),
    /// An empty line.
    Gap,
}

/// Takes a page apart.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut all = Vec::new();
    let mut text = String::new();
    let mut code: Option<Vec<&str>> = None;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        if let Some(lines) = &mut code {
            if is_fence {
                all.push(Block::Code(std::mem::take(lines)));
                code = None;
            } else {
                lines.push(line);
            }
            continue;
        }
        let is_heading = line.starts_with('#');
        if is_fence
            || is_heading
            || line.is_empty()
            || line.starts_with("- ")
            || step(line).is_some()
        {
            end(&mut text, &mut all);
        }
        if is_fence {
            code = Some(Vec::new());
        } else if is_heading {
            let words = line.trim_start_matches('#');
            all.push(Block::Heading(line.len() - words.len(), words.trim()));
        } else if line.is_empty() {
            all.push(Block::Gap);
        } else {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.trim());
        }
    }
    end(&mut text, &mut all);
    all.extend(code.map(Block::Code));
    all
}

fn end(text: &mut String, all: &mut Vec<Block<'_>>) {
    if text.is_empty() {
        return;
    }
    let text = std::mem::take(text);
    all.push(if let Some(item) = text.strip_prefix("- ") {
        Block::Item(item.to_owned())
    } else if let Some((number, step)) = step(&text) {
        Block::Step(number, step.to_owned())
    } else {
        Block::Paragraph(text)
    });
}

/// The number and the words of a line such as `2. Open it.`
fn step(line: &str) -> Option<(u32, &str)> {
    let (number, words) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| number.parse().ok()).flatten().map(|number| (number, words))
}

impl Paint {
    fn page_heading(self, depth: usize, text: &str, out: &mut String) {
        _ = writeln!(out, "{}", self.bold(text));
        if depth < 3 {
            let rule = if depth == 2 { "─" } else { "═" };
            _ = writeln!(out, "{}", self.dim(&rule.repeat(text.chars().count())));
        }
    }

    /// One paragraph, or one item of a list behind its mark.
    fn block(self, mark: &str, text: &str, out: &mut String) {
        let indent = mark.chars().count();
        for (index, line) in self.lines(&format!("{mark}{text}"), indent).iter().enumerate() {
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
    fn steps_stand_on_lines_of_their_own() {
        let page =
            "1. Open the event and read what it answered.\n2. Press Resend.\n\n2 of 3. No step.\n";
        assert_eq!(
            page_to_terminal(page, Paint { colour: false, width: 40 }),
            "1. Open the event and read what it\n   answered.\n2. Press Resend.\n\n2 of 3. No step.\n"
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
