//! The words that tell which product a report is about, taken out in each form that they have.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::ops::Range;

use launchready_checks::suffix::registrable;
use regex::Regex;

/// The name of the project, and the labels of its domain that were chosen; shorter ones are words like any other.
#[derive(Debug)]
pub(super) struct OwnWords(Vec<Regex>);

impl OwnWords {
    pub(super) fn of(project: &str, domain: &str) -> Option<Self> {
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let chosen = registrable(domain).unwrap_or(domain);
        let mut words = vec![first(domain), first(chosen), project.to_owned()];
        words.retain(|word| word.len() >= 4 && !word.contains('.'));
        // The longest first, so that a part of a name does not win.
        words.sort_by_key(|word| (Reverse(word.len()), word.clone()));
        words.dedup();
        words.iter().map(|word| Regex::new(&each_form(word)).ok()).collect::<Option<_>>().map(Self)
    }

    /// The text without them, wherever no letter is beside them: `harbor`, `HARBOR_TOKEN`, `harbor2`.
    pub(super) fn without(&self, text: &str) -> String {
        let mut spans: Vec<Range<usize>> = Vec::new();
        for found in self.0.iter().flat_map(|word| word.find_iter(text)) {
            let (start, end) = (found.start(), found.end());
            let is_free = spans.iter().all(|span| span.end <= start || end <= span.start);
            let beside = beside(text, &found.range());
            if is_free && !beside.into_iter().flatten().any(char::is_alphabetic) {
                spans.push(start..end);
            }
        }
        spans.sort_by_key(|span| span.start);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for span in spans {
            let word = text.get(span.clone()).unwrap_or_default();
            // The name of a variable stays one.
            let is_variable = beside(text, &span).contains(&Some('_'));
            let is_variable = is_variable && !word.contains(char::is_lowercase);
            out.push_str(text.get(done..span.start).unwrap_or_default());
            out.push_str(if is_variable { "THE_PRODUCT" } else { "the-product" });
            done = span.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// A word in each form that it has in a report. What is neither letter nor digit is an underscore in the name of a
/// variable, and a variable that would begin with a digit has a P in front.
fn each_form(word: &str) -> String {
    let mut pattern = "(?i)".to_owned();
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        pattern.push_str("p?");
    }
    for c in word.chars() {
        if c.is_ascii_alphanumeric() {
            pattern.push(c);
        } else {
            _ = write!(pattern, "(?:{}|[-_])", regex::escape(&c.to_string()));
        }
    }
    pattern
}

/// The characters before and after a part of a text.
fn beside(text: &str, part: &Range<usize>) -> [Option<char>; 2] {
    let before = text.get(..part.start).and_then(|text| text.chars().next_back());
    let after = text.get(part.end..).and_then(|text| text.chars().next());
    [before, after]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(project: &str, domain: &str, text: &str) -> String {
        OwnWords::of(project, domain).unwrap().without(text)
    }

    #[test]
    fn the_name_of_the_product_goes_out_of_variables_and_numbered_names_too() {
        let harbor = |text: &str| without("harbor", "harbor.example", text);
        for (text, wanted) in [
            ("HARBOR_STRIPE_RESTRICTED_KEY", "THE_PRODUCT_STRIPE_RESTRICTED_KEY"),
            ("MY_HARBOR, my_harbor_db", "MY_THE_PRODUCT, my_the-product_db"),
            ("Harbor, harbor-api, (harbor)", "the-product, the-product-api, (the-product)"),
            ("harbor2 2harbor HARBOR_2", "the-product2 2the-product THE_PRODUCT_2"),
            ("harbor harbor", "the-product the-product"),
        ] {
            assert_eq!(harbor(text), wanted);
        }
    }

    #[test]
    fn a_longer_word_is_another_one() {
        for longer in ["harbormaster", "Pearlharbor", "harbors_db", "HARBORSIDE", "éharbor"] {
            assert_eq!(without("harbor", "harbor.example", longer), longer);
        }
        assert_eq!(without("bay", "bay.example", "ebay and bay_1"), "ebay and bay_1", "too short");
    }

    #[test]
    fn each_form_of_a_name_goes_and_only_whole() {
        let shop = |text: &str| without("blue-shop", "blue-shop.co.uk", text);
        assert_eq!(shop("BLUE_SHOP_STRIPE_KEY"), "THE_PRODUCT_STRIPE_KEY");
        assert_eq!(shop("blue_shop, Blue-Shop"), "the-product, the-product");
        assert_eq!(shop("a blue workshop"), "a blue workshop");
        let yard = |text: &str| without("dock", "app.dock-yard.com", text);
        assert_eq!(yard("DOCK_YARD_KEY DOCK_KEY"), "THE_PRODUCT_KEY THE_PRODUCT_KEY");
        assert_eq!(without("9lives", "9lives.com", "P9LIVES_TOKEN"), "THE_PRODUCT_TOKEN");
        assert_eq!(without("bücher", "xn--bcher-kva.com", "B_CHER_KEY"), "THE_PRODUCT_KEY");
        let goods = without("product", "goods.com", "goods of product");
        assert_eq!(goods, "the-product of the-product");
    }
}
