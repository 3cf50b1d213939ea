//! Tests of the record parser.

use proptest::prelude::*;

use super::*;

fn problems(text: &str) -> Vec<Problem> {
    assert_eq!(kind(text), Kind::Dmarc, "{text}");
    Record::read(text).problems
}

#[test]
fn a_record_begins_with_the_version_in_capitals() {
    for good in ["v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p=none", "V=DMARC1;p=none"] {
        assert_eq!(kind(good), Kind::Dmarc, "{good}");
    }
    for broken in [
        "v=dmarc1; p=none",
        "v=DMARC1 p=none",
        "v=DMARC2; p=none",
        " v=DMARC1; p=none",
        "\"v=DMARC1; p=none\"",
        "\u{e2}\u{80}\u{9c}v=DMARC1; p=none",
        "DMARC1; p=none",
        "p=none; v=DMARC1",
        "v: DMARC1; p=none",
    ] {
        assert!(matches!(kind(broken), Kind::Broken(_)), "{broken}");
    }
    for other in ["", "v=spf1 -all", "google-site-verification=abc", "p=MIGfMA0"] {
        assert_eq!(kind(other), Kind::Other, "{other}");
    }
}

#[test]
fn every_tag_is_read() {
    let record = Record::read(
        "v=DMARC1; p=Reject; sp=quarantine; np=none; adkim=s; aspf=S; t=y; psd=n; fo=1:d:s; \
         rua=mailto:dmarc@harbor.com, MAILTO:x@Reports.Example.; ruf=mailto:dmarc@harbor.com;",
    );
    let wanted = Record {
        policy: Some(Policy::Reject),
        subdomains: Some(Policy::Quarantine),
        nonexistent: Some(Policy::None),
        strict_dkim: true,
        strict_spf: true,
        psd: Psd::No,
        testing: true,
        percent: None,
        asks_for_reports: true,
        report_hosts: vec!["harbor.com".to_owned(), "reports.example".to_owned()],
        problems: Vec::new(),
    };
    assert_eq!(record, wanted);
}

#[test]
fn a_missing_policy_is_none_and_covers_what_lies_below() {
    let record = Record::read("v=DMARC1; rua=mailto:dmarc@harbor.com");
    assert_eq!((record.policy, record.own_policy()), (None, Policy::None));
    let record = Record::read("v=DMARC1; p=reject; np=quarantine");
    assert_eq!(record.policy_below(true), Policy::Reject);
    assert_eq!(record.policy_below(false), Policy::Quarantine);
    let record = Record::read("v=DMARC1; p=reject; sp=none");
    assert_eq!(
        (record.policy_below(true), record.policy_below(false)),
        (Policy::None, Policy::None)
    );
}

#[test]
fn a_wrong_policy_leaves_the_record_standing_only_with_a_report_address() {
    assert!(!Record::read("v=DMARC1; p=rejct").counts());
    assert!(!Record::read("v=DMARC1; p=rejct; rua=dmarc@harbor.com").counts());
    assert!(Record::read("v=DMARC1; p=rejct; rua=mailto:dmarc@harbor.com").counts());
    assert!(!Record::read("v=DMARC1; p=reject rua=mailto:dmarc@harbor.com").counts());
    assert!(Record::read("v=DMARC1").counts());
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(problems("v=DMARC1; p=none; "), []);
    assert_eq!(problems("v=DMARC1; p=none; p=reject"), [Problem::Repeated("p".to_owned())]);
    assert_eq!(problems("v=DMARC1; p=none; rua"), [Problem::NoTag("rua".to_owned())]);
    assert_eq!(problems("v=DMARC1; p=none; sp="), [Problem::NoTag("sp=".to_owned())]);
    assert_eq!(problems("v=DMARC1; p=none; x=1"), [Problem::Unknown("x".to_owned())]);
    assert_eq!(
        problems("v=DMARC1; p=none; adkim=relaxed"),
        [Problem::NoValue { tag: "adkim", value: "relaxed".to_owned() }]
    );
    assert_eq!(
        problems("v=DMARC1; p=none; pct=50"),
        [Problem::Removed { tag: "pct", value: "50".to_owned() }]
    );
    assert_eq!(problems("v=DMARC1; sp=none; p=none"), [Problem::PolicyNotFirst]);
}

#[test]
fn report_addresses_are_mailto_addresses() {
    let why = |entry: &str| report_host(entry).unwrap_err();
    assert!(why("dmarc@harbor.com").contains("mailto:"));
    assert!(why("https://harbor.com/dmarc").contains("only"));
    for bad in ["mailto:", "mailto:harbor.com", "mailto:@harbor.com", "mailto:a@b", "mailto:a@b..c"]
    {
        assert!(report_host(bad).is_err(), "{bad}");
    }
    assert_eq!(report_host("mailto:a+b@Harbor.com.").unwrap(), "harbor.com");
    let record = Record::read("v=DMARC1; p=none; rua=mailto:dmarc@harbor.com!10m");
    assert_eq!(record.report_hosts, ["harbor.com"]);
    assert_eq!(record.problems, [Problem::SizeLimit("mailto:dmarc@harbor.com!10m".to_owned())]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|[v=DMARC1;pnoe \\t!,@:\\x00-\\u{ff}]*") {
        let _ = kind(&text);
        let _ = Record::read(&text);
    }

    #[test]
    fn what_is_written_is_read_back(
        policy in prop::sample::select(vec!["none", "quarantine", "reject"]),
        below in prop::option::of(prop::sample::select(vec!["none", "quarantine", "reject"])),
        blank in "[ \\t]{0,3}",
        hosts in prop::collection::btree_set("[a-z]{1,9}\\.(com|example)", 0..4),
    ) {
        let mut text = format!("v={blank}DMARC1{blank};{blank}p={blank}{policy}");
        if let Some(below) = below {
            text = format!("{text};sp{blank}={below}");
        }
        if !hosts.is_empty() {
            let list: Vec<_> = hosts.iter().map(|host| format!("mailto:d@{host}")).collect();
            text = format!("{text}{blank};rua={}", list.join(&format!("{blank},{blank}")));
        }
        prop_assert_eq!(kind(&text), Kind::Dmarc);
        let record = Record::read(&text);
        prop_assert_eq!(record.own_policy().as_str(), policy);
        prop_assert_eq!(record.subdomains.map(Policy::as_str), below);
        prop_assert_eq!(record.report_hosts, hosts.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(record.problems, vec![]);
    }
}
