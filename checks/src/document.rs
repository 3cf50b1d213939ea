//! The elements of an HTML document, read as a browser's tokenizer reads them, without a tree.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The most elements of one document that are kept.
const ELEMENTS: usize = 20_000;
/// The most bytes of one attribute value that are kept; data URLs are longer and worth nothing.
const ATTRIBUTE_BYTES: usize = 16 * 1024;

/// One start tag, and the text inside where the element holds only text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Lower-case tag name.
    pub name: String,
    /// Names in lower case, values with character references resolved.
    pub attributes: Vec<(String, String)>,
    /// The text of elements that hold nothing but text, such as `script`, `style`, `title` and
    /// `textarea`; empty for others.
    ///
    /// What stands in a `noscript` is read as elements, and its text is not visible.
    pub text: String,
}

impl Element {
    /// The value of an attribute, blanks trimmed; an attribute without a value is `""`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Whether a blank-separated attribute such as `rel` holds a word, whatever its case.
    pub fn has_word(&self, attribute: &str, word: &str) -> bool {
        self.attribute(attribute)
            .is_some_and(|value| value.split_whitespace().any(|w| w.eq_ignore_ascii_case(word)))
    }
}

/// A document as the list of its elements in source order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// At most 20,000 elements.
    pub elements: Vec<Element>,
    /// The number of characters of visible text, blanks folded; a JavaScript shell has almost none.
    pub visible_characters: usize,
}

impl Document {
    /// Reads a document; any text is one.
    pub fn parse(html: &str) -> Self {
        let sink = Sink { state: RefCell::new(State::default()) };
        let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(html));
        let _script = tokenizer.feed(&input);
        tokenizer.end();
        let state = tokenizer.sink.state.into_inner();
        Self { elements: state.elements, visible_characters: state.visible }
    }

    /// The elements of one name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// The text of the first `title`.
    pub fn title(&self) -> Option<&str> {
        self.all("title").next().map(|title| title.text.trim())
    }

    /// The content of a `meta` whose `name`, `property` or `http-equiv` is this, whatever its case.
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.all("meta")
            .find(|meta| {
                ["name", "property", "http-equiv"].iter().any(|key| {
                    meta.attribute(key).is_some_and(|value| value.eq_ignore_ascii_case(name))
                })
            })?
            .attribute("content")
    }

    /// Whether it is an empty frame that JavaScript fills: scripts, and hardly any text of its own.
    pub fn is_script_shell(&self) -> bool {
        self.visible_characters < 200 && self.all("script").next().is_some()
    }
}

#[derive(Default)]
struct State {
    elements: Vec<Element>,
    /// The index of the element whose text is being read.
    reading: Option<usize>,
    visible: usize,
    after_blank: bool,
    /// Inside an element whose text nobody sees.
    hidden: bool,
    /// Inside a `noscript`, which a browser with scripts does not show.
    without_scripts: bool,
}

struct Sink {
    state: RefCell<State>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let name = tag.name.to_string();
                let raw = match name.as_str() {
                    "script" => Some(TokenSinkResult::RawData(RawKind::ScriptData)),
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                        Some(TokenSinkResult::RawData(RawKind::Rawtext))
                    }
                    "title" | "textarea" => Some(TokenSinkResult::RawData(RawKind::Rcdata)),
                    _ => None,
                };
                state.hidden = raw.is_some();
                state.without_scripts |= name == "noscript";
                if state.elements.len() < ELEMENTS {
                    let attributes = tag.attrs.into_iter().map(|attribute| {
                        let mut value = attribute.value.to_string();
                        cut(&mut value, ATTRIBUTE_BYTES);
                        (attribute.name.local.to_string(), value)
                    });
                    let element =
                        Element { name, attributes: attributes.collect(), text: String::new() };
                    state.elements.push(element);
                    state.reading = raw.is_some().then(|| state.elements.len() - 1);
                }
                raw.unwrap_or(TokenSinkResult::Continue)
            }
            Token::TagToken(tag) => {
                state.reading = None;
                state.hidden = false;
                state.without_scripts &= &*tag.name != "noscript";
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                if !state.hidden && !state.without_scripts {
                    for c in text.chars() {
                        let blank = c.is_whitespace();
                        state.visible += usize::from(!blank || !state.after_blank);
                        state.after_blank = blank;
                    }
                }
                if let Some(index) = state.reading
                    && let Some(element) = state.elements.get_mut(index)
                {
                    element.text.push_str(&text);
                }
                TokenSinkResult::Continue
            }
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => TokenSinkResult::Continue,
        }
    }
}

fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_titles_and_attributes_are_read_as_a_browser_does() {
        let document = Document::parse(
            "<!doctype html><TITLE>A &amp; B</title><meta NAME=Robots content='noindex'>\
             <script>if (a < b) document.write('<img src=x>')</script><script src=/a.js defer></script>\
             <link rel='preload stylesheet' href=\"/x.css\"><p>Hello   there</p><!-- <a href=no> -->",
        );
        assert_eq!(document.title(), Some("A & B"));
        assert_eq!(document.meta("robots"), Some("noindex"));
        assert_eq!(document.all("img").count(), 0);
        let scripts: Vec<_> = document.all("script").collect();
        assert!(scripts[0].text.contains("a < b"));
        assert_eq!(scripts[1].attribute("src"), Some("/a.js"));
        assert_eq!(scripts[1].attribute("defer"), Some(""));
        assert!(document.all("link").next().unwrap().has_word("rel", "STYLESHEET"));
        assert_eq!(document.all("a").count(), 0);
        assert_eq!(document.visible_characters, "Hello there".len());
        assert!(document.is_script_shell());
    }

    #[test]
    fn text_for_browsers_without_scripts_is_not_visible() {
        let notice = "Please switch JavaScript on to use this app. ".repeat(20);
        let page = |tail: &str| {
            Document::parse(&format!(
                "<title>A</title><noscript><p>{notice}</p><img src=/x.gif></noscript>{tail}\
                 <div id=root></div><script src=/a.js></script>"
            ))
        };
        assert_eq!(page("").visible_characters, 0);
        assert!(page("").is_script_shell());
        assert_eq!(page("").all("img").count(), 1);
        assert!(!page(&notice).is_script_shell());
    }

    #[test]
    fn a_document_of_garbage_is_bounded() {
        let document = Document::parse(&"<a b='".repeat(1000));
        assert!(document.elements.len() <= ELEMENTS);
        assert!(Document::parse(&"<b>".repeat(30_000)).elements.len() == ELEMENTS);
    }
}
