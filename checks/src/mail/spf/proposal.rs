//! Records to write: a first one, a merged one, a mended one.

use super::record::{Kind, Qualifier, Record};
use crate::mail::providers::{self, Provider};

/// A first record for a domain with these mail servers and tools.
pub(super) fn first(servers: &[String], tools: &[&'static Provider]) -> String {
    let mut known: Vec<&'static Provider> = Vec::new();
    let mailboxes = servers.iter().filter_map(|host| providers::behind_mx(host));
    let tools = tools.iter().copied().filter(|tool| !tool.has_own_return_path());
    for provider in mailboxes.chain(tools) {
        if !known.contains(&provider) {
            known.push(provider);
        }
    }
    let sends_itself = known.is_empty() && servers.iter().any(|host| !host.is_empty());
    let mut terms: Vec<String> = known
        .iter()
        .filter_map(|provider| provider.spf_includes.first())
        .map(|include| format!("include:{include}"))
        .collect();
    if sends_itself {
        terms.push("mx".to_owned());
    }
    if terms.is_empty() { nothing() } else { format!("v=spf1 {} ~all", terms.join(" ")) }
}

/// The record of a domain that sends no mail.
pub(super) fn nothing() -> String {
    "v=spf1 -all".to_owned()
}

/// One record that allows what several allow, with the mildest safe one of their ends.
pub(super) fn merged(texts: &[String]) -> String {
    let records: Vec<Record> = texts.iter().map(|text| Record::parse(text)).collect();
    let mut terms: Vec<String> = Vec::new();
    for term in records.iter().flat_map(|record| &record.terms) {
        let kept = term.kind.is_mechanism() && term.kind != Kind::All;
        let written = if term.kind == Kind::Redirect {
            term.text.replacen("redirect=", "include:", 1)
        } else {
            term.text.clone()
        };
        let same = |known: &String| known.eq_ignore_ascii_case(&written);
        if (kept || term.kind == Kind::Redirect) && !terms.iter().any(same) {
            terms.push(written);
        }
    }
    let ends = || records.iter().flat_map(|record| &record.terms).filter(|t| t.kind == Kind::All);
    let end = if !ends().any(|term| term.qualifier == Qualifier::SoftFail)
        && ends().any(|term| term.qualifier == Qualifier::Fail)
    {
        "-all"
    } else {
        "~all"
    };
    terms.push(end.to_owned());
    format!("v=spf1 {}", terms.join(" "))
}

/// A record without the terms that say something twice or stand behind `all`.
pub(super) fn without(text: &str, dropped: &[&str]) -> String {
    let mut dropped: Vec<&str> = dropped.to_vec();
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.reverse();
    words.retain(|word| match dropped.iter().position(|unwanted| unwanted == word) {
        Some(at) => {
            dropped.remove(at);
            false
        }
        None => true,
    });
    words.reverse();
    words.join(" ")
}

/// A record with another end.
pub(super) fn ending_in(text: &str, end: &str) -> String {
    let record = Record::parse(text);
    let all = record.terms.iter().find(|term| term.kind == Kind::All);
    match all {
        Some(all) => text
            .split(' ')
            .map(|word| if word == all.text { end } else { word })
            .collect::<Vec<_>>()
            .join(" "),
        None => format!("{} {end}", text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_record_names_the_mailboxes_and_the_tools_without_their_own_host() {
        let google = vec!["smtp.google.com".to_owned()];
        let tools = [providers::named("resend").unwrap(), providers::named("hubspot").unwrap()];
        assert_eq!(
            first(&google, &tools),
            "v=spf1 include:_spf.google.com include:_spf.hubspot.com ~all"
        );
        assert_eq!(first(&["mail.harbor.com".to_owned()], &[]), "v=spf1 mx ~all");
        assert_eq!(first(&[], &[]), "v=spf1 -all");
    }

    #[test]
    fn records_are_merged_trimmed_and_ended() {
        let texts =
            ["v=spf1 include:a.test -all".to_owned(), "v=spf1 include:A.test mx ~all".to_owned()];
        assert_eq!(merged(&texts), "v=spf1 include:a.test mx ~all");
        assert_eq!(without("v=spf1 mx a mx -all", &["mx"]), "v=spf1 mx a -all");
        assert_eq!(ending_in("v=spf1 mx +all", "~all"), "v=spf1 mx ~all");
        assert_eq!(ending_in("v=spf1 mx ", "~all"), "v=spf1 mx ~all");
    }
}
