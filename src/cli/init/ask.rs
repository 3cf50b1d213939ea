//! The questions of `init`: only what cannot be seen, and nothing that has to be answered.

use std::io::{self, BufRead, Read as _, Write};

use crate::discover::{ACCESS, Answers, Draft, Part, Stack};

/// After so many answers that are none of the words, a question is left open.
const TRIES: usize = 3;
/// The most bytes of an answer.
const BYTES: u64 = 1024;

/// Asks for the parts of which nothing was seen.
///
/// # Errors
/// The terminal is gone.
pub(super) fn ask(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    stack: &Stack,
    answers: &mut Answers,
) -> io::Result<()> {
    let parts = Draft::new(stack, answers, None, String::new()).unsettled();
    if !parts.is_empty() {
        writeln!(output, "\nNot everything shows from outside. Press Enter to decide later.\n")?;
    }
    for part in parts {
        let words: Vec<&str> =
            ACCESS.iter().filter(|access| access.part == part).map(|access| access.word).collect();
        let question = match words.as_slice() {
            [_] => format!("Do you use {}? yes, no", part.words()),
            _ => format!("Which {} do you use? {}, none", part.words(), words.join(", ")),
        };
        let mut choices = words.clone();
        choices.extend(if words.len() == 1 { ["yes", "no"] } else { ["none", "no"] });
        match choose(input, output, &question, &choices)? {
            Some("no" | "none") => _ = answers.none.insert(part),
            Some("yes") => answers.uses.extend(words.first()),
            Some(word) => answers.uses.extend(words.iter().find(|known| **known == word)),
            None => {}
        }
    }
    let wanted = Draft::new(stack, answers, None, String::new()).wanted();
    let of =
        |part: Part| wanted.iter().find(|one| one.access.part == part).map(|one| one.access.word);
    match of(Part::Support) {
        Some("zendesk") => {
            if stack.zendesk.is_none() {
                let question = "What stands before .zendesk.com in its address?";
                answers.desk = line(input, output, question, is_label)?;
            }
            let question =
                "Which agent's address goes with the API token? With an OAuth token press Enter";
            answers.user = line(input, output, question, |text| text.contains('@'))?;
        }
        Some("freshdesk") if stack.freshdesk.is_none() => {
            let question = "What stands before .freshdesk.com in its address?";
            answers.desk = line(input, output, question, is_label)?;
        }
        Some("helpscout") => {
            let question = "What is the App ID of the application in Help Scout?";
            answers.user = line(input, output, question, is_plain)?;
        }
        _ => {}
    }
    if of(Part::Automation) == Some("n8n") && stack.n8n.is_none() {
        let question = "Where is your n8n? Its address, such as https://n8n.example.com";
        answers.automation = line(input, output, question, is_address)?;
    }
    Ok(())
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// One of some words; `None` where it is left open.
fn choose<'w>(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    question: &str,
    words: &[&'w str],
) -> io::Result<Option<&'w str>> {
    for _try in 0..TRIES {
        let Some(given) = answer(input, output, question)? else { return Ok(None) };
        let given = given.to_ascii_lowercase();
        let short = words.iter().find(|word| given.len() == 1 && word.starts_with(&given));
        if let Some(word) = words.iter().find(|word| **word == given).or(short) {
            return Ok(Some(word));
        }
        writeln!(output, "  {given:?} is none of them{}", near(&given, words.iter().copied()))?;
    }
    Ok(None)
}

/// A text that fits; `None` where it is left open.
fn line(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    question: &str,
    fits: impl Fn(&str) -> bool,
) -> io::Result<Option<String>> {
    for _try in 0..TRIES {
        let Some(given) = answer(input, output, question)? else { return Ok(None) };
        if is_plain(&given) && fits(&given) {
            return Ok(Some(given));
        }
        writeln!(output, "  {given:?} cannot be it")?;
    }
    Ok(None)
}

/// What was typed; nothing at an empty line or the end.
fn answer(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    question: &str,
) -> io::Result<Option<String>> {
    write!(output, "{question}: ")?;
    output.flush()?;
    let mut bytes = Vec::new();
    input.take(BYTES).read_until(b'\n', &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The remedy for a word that is none of these.
pub(super) fn near<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let word = word.to_ascii_lowercase();
    let score = |one: &&str| strsim::jaro_winkler(one, &word);
    let best = known.iter().copied().max_by(|a, b| score(a).total_cmp(&score(b)));
    match best.filter(|best| score(best) > 0.75) {
        Some(best) => format!("; did you mean {best:?}?"),
        None => format!("; write {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(stack: &Stack, typed: &[u8]) -> (Answers, String) {
        let mut answers = Answers::default();
        let mut output = Vec::new();
        ask(&mut &*typed, &mut output, stack, &mut answers).unwrap();
        (answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_what_was_not_seen_is_asked_for() {
        let mut stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        for word in ["stripe", "supabase", "database", "hubspot", "n8n"] {
            stack.note(word, "seen");
        }
        stack.n8n = Some("n8n.harbor.example".to_owned());
        let (answers, output) = asked(&stack, b"zendesk\nharbor\nagent@harbor.example\n");
        assert_eq!(answers.uses, ["zendesk"]);
        assert_eq!(answers.desk.as_deref(), Some("harbor"));
        assert_eq!(answers.user.as_deref(), Some("agent@harbor.example"));
        assert!(!output.contains("CRM") && !output.contains("Stripe"), "{output}");
    }

    #[test]
    fn a_typo_is_answered_with_the_word_and_what_is_left_open_stays_open() {
        let stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        let (answers, output) = asked(
            &stack,
            b"no\nn\nyes\nhubpsot\nhubspot\n\nn8n\nnowhere\nhttps://n8n.harbor.example\n",
        );
        assert_eq!(answers.uses, ["database", "hubspot", "n8n"]);
        assert_eq!(answers.none, [Part::Payments, Part::Backend].into());
        assert_eq!(answers.automation.as_deref(), Some("https://n8n.harbor.example"));
        assert!(output.contains("did you mean \"hubspot\"?"), "{output}");
    }

    #[test]
    fn an_end_and_bytes_that_are_no_text_settle_nothing() {
        let stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        let (answers, _) = asked(&stack, b"");
        assert!(answers.uses.is_empty() && answers.none.is_empty());
        let (answers, _) = asked(&stack, &[0xff; 5000]);
        assert!(answers.uses.is_empty() && answers.none.is_empty());
    }
}
