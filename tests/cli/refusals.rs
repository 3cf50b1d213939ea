//! What cannot be done is told at once, with what to write instead.

use std::net::UdpSocket;

use serde_json::Value;

use super::{TWO, holds_only, refused, say, say_in, with_config};

#[test]
fn every_error_of_a_config_is_told_at_once_with_its_line() {
    let text = "[network]\nresolver = [\"1.1.1.1\"]\nallow_private = \"yes\"\n\n[[project]]\n\
                name = \"harbor\"\ndomian = \"harbor.example\"\n\n[checks.domain-registration]\n\
                critical = \"two weeks\"\n[checks.mail-sfp]\n";
    let folder = with_config(text);
    for arguments in [&["audit"][..], &["config", "check"], &["config", "show"]] {
        let words = [
            "launchready.toml cannot be used",
            "line 2: network.resolver: unknown key; did you mean \"resolvers\"?",
            "line 3: network.allow_private",
            "line 7: project[0].domian: unknown key; did you mean \"domain\"?",
            "line 10: checks.domain-registration.critical",
            "did you mean \"mail-spf\"?",
        ];
        refused(&say_in(folder.path(), arguments), &words);
    }
    holds_only(folder.path(), &["launchready.toml"]);
}

#[test]
fn what_is_no_domain_is_answered_with_what_to_write() {
    for (given, remedy) in [
        ("203.0.113.7", "write the public domain"),
        ("[2001:db8::1]", "write the public domain"),
        ("https://harbor.example/pricing", "write only the name: harbor.example"),
        ("harbor.example:443", "write only the name: harbor.example"),
        ("founder@harbor.example", "the part after the @: harbor.example"),
        ("", "write a name such as shop.example"),
        (".", "write a name such as shop.example"),
        ("harbor", "such as harbor.com"),
        ("co.uk", "such as shop.co.uk"),
        ("harbor..example", "two dots in a row"),
        ("har bor.example", "it holds a blank"),
    ] {
        refused(&say(&["audit", given]), &[remedy]);
        refused(&say(&["check", "mail-spf", given]), &[remedy]);
    }
    let folder = with_config("");
    refused(&say_in(folder.path(), &["audit"]), &["holds no project", "[[project]]"]);
    refused(&say(&["audit"]), &["launchready audit shop.example", "--config FILE"]);
    refused(&say(&["audit", "--config", "gone.toml"]), &["gone.toml", "launchready init"]);
}

#[test]
fn domains_are_read_as_people_write_them() {
    // One millisecond: the name is what is looked at here.
    for (given, name) in [
        ("Harbor.Example.", "harbor.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        (" shop.co.uk ", "shop.co.uk"),
    ] {
        let said = say(&[
            "audit",
            given,
            "--resolver",
            "127.0.0.1:9",
            "--time-limit",
            "1ms",
            "--format",
            "json",
            "--quiet",
        ]);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["domain"], name, "{said:?}");
    }
}

#[test]
fn unknown_checks_and_findings_come_with_the_closest_known_one() {
    refused(&say(&["check", "mail-sfp", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "mail-sfp"]), &["\"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--skip", "mail-sfp"]), &["\"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "zz*"]), &["launchready explain"]);
    refused(&say(&["explain", "spf-misisng"]), &["did you mean \"spf-missing\"?"]);
    refused(&say(&["explain", "zzzz"]), &["launchready explain"]);
    refused(&say(&["check", "spf-missing", "harbor.example"]), &["a finding of mail-spf"]);
    refused(&say(&["check", "MAIL-SPF", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["check", "spf", "harbor.example"]), &["did you mean \"mail-spf\"?"]);
    refused(&say(&["audit", "harbor.example", "--only", "mail"]), &["mail-*"]);
    refused(&say(&["harbor.example"]), &["launchready audit harbor.example"]);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "kept").unwrap();
    let asked = UdpSocket::bind("127.0.0.1:0").unwrap();
    asked.set_nonblocking(true).unwrap();
    let resolver = asked.local_addr().unwrap().to_string();
    for path in ["gone/report.json", "file/report.json", "."] {
        let arguments = ["audit", "harbor.example", "--resolver", &resolver, "--out", path];
        refused(&say_in(folder.path(), &arguments), &[path, "--out"]);
        let arguments =
            ["audit", "harbor.example", "--resolver", &resolver, "--save-baseline", path];
        refused(&say_in(folder.path(), &arguments), &[path, "--save-baseline"]);
        assert!(asked.recv(&mut [0]).is_err(), "something was looked at");
    }
    let pdf = ["audit", "harbor.example", "--resolver", "127.0.0.1:9", "--out", "report.pdf"];
    refused(&say_in(folder.path(), &pdf), &["report.pdf", ".html", "--format"]);
    let arguments = [
        "audit",
        "harbor.example",
        "--resolver",
        "127.0.0.1:9",
        "--save-evidence",
        "file/evidence",
    ];
    refused(&say_in(folder.path(), &arguments), &["file/evidence", "write"]);
    let all = ["audit", "--all", "--out", "file/reports", "--config", "two.toml"];
    std::fs::write(folder.path().join("two.toml"), TWO).unwrap();
    refused(&say_in(folder.path(), &all), &["file/reports", "--out"]);
    holds_only(folder.path(), &["file", "two.toml"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "kept");
}

#[test]
fn an_existing_report_is_untouched_when_the_audit_fails() {
    let folder = with_config(TWO);
    let report = folder.path().join("report.json");
    std::fs::write(&report, "the last one").unwrap();
    for wrong in [
        &["audit", "--out", "report.json"][..],
        &["audit", "--project", "bay", "--out", "report.json"],
        &["audit", "--project", "cove", "--only", "nope", "--out", "report.json"],
        &["audit", "--project", "cove", "--baseline", "gone.json", "--out", "report.json"],
        &["audit", "--from-evidence", "gone", "--out", "report.json"],
        &["audit", "cove.example", "--ca", "gone.pem", "--out", "report.json"],
    ] {
        refused(&say_in(folder.path(), wrong), &[]);
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "the last one", "{wrong:?}");
    }
    holds_only(folder.path(), &["launchready.toml", "report.json"]);
}

#[test]
fn the_project_that_is_meant_has_to_be_clear() {
    let folder = with_config(TWO);
    let say = |arguments: &[&str]| say_in(folder.path(), arguments);
    refused(&say(&["audit"]), &["harbor, cove", "--project", "--all"]);
    refused(&say(&["check", "mail-spf"]), &["harbor, cove", "--project"]);
    refused(&say(&["audit", "--project", "bay"]), &["\"bay\"", "harbor, cove"]);
    refused(&say(&["audit", "--all"]), &["--out"]);
    refused(&say(&["audit", "--all", "--project", "cove", "--out", "x"]), &["--all", "--project"]);
    holds_only(folder.path(), &["launchready.toml"]);
}

#[test]
fn wrong_settings_say_what_to_write() {
    let audit = |more: &[&str]| say(&[&["audit", "harbor.example"], more].concat());
    refused(&audit(&["--time-limit", "soon"]), &["soon", "90s"]);
    refused(&audit(&["--time-limit", "0s"]), &["longer than nothing"]);
    refused(&audit(&["--goal", "lunch"]), &["launch, paid-traffic, handover"]);
    refused(&audit(&["--resolver", "dns"]), &["1.1.1.1"]);
    refused(&audit(&["--connect-to", "harbor.example"]), &["FROM=TO"]);
    refused(&audit(&["--connect-to", "harbor.example:443=localhost"]), &["203.0.113.7:443"]);
    refused(&audit(&["--ca", "gone.pem"]), &["gone.pem"]);
    refused(&audit(&["--format", "yaml"]), &["json"]);
    refused(&audit(&["--baseline", "gone.json"]), &["--save-baseline"]);
    refused(&audit(&["--form", "json"]), &["--format"]);
    refused(&say(&["adit"]), &["audit"]);
    refused(&say(&["audit", "--domains", "gone.txt"]), &["gone.txt"]);
    refused(&say(&["audit", "--from-evidence", "gone"]), &["--save-evidence"]);
}

#[test]
fn a_bad_line_in_a_file_of_domains_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("names"), "# ours\nharbor.example\nfounder@cove.example\n")
        .unwrap();
    let said = say_in(folder.path(), &["audit", "--domains", "names"]);
    refused(&said, &["line 3", "cove.example"]);
}
