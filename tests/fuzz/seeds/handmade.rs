//! Seeds that are in no case: bytes of servers, files of the user, reports.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use hickory_proto::op::{Message, MessageType, Query};
use hickory_proto::rr::rdata::{A, CAA, CNAME, MX, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, date_time_ymd,
};

use super::Seeds;

pub(super) fn add(seeds: &mut Seeds) {
    dns(seeds);
    tls(seeds);
    certificates(seeds);
    mail_servers(seeds);
    bodies(seeds);
    user(seeds);
    reports(seeds);
}

/// Parts with their length in front.
fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
    let framed = parts
        .iter()
        .map(|part| [u16::try_from(part.len()).unwrap().to_be_bytes().as_slice(), part].concat());
    framed.collect::<Vec<_>>().concat()
}

fn dns(seeds: &mut Seeds) {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    let harbor = || name("harbor.example.");
    let message = |kind: RecordType, answers: Vec<RData>| {
        let mut message = Message::query();
        message.metadata.message_type = MessageType::Response;
        message.add_query(Query::query(harbor(), kind));
        for data in answers {
            message.answers.push(Record::from_rdata(harbor(), 300, data));
        }
        message.to_vec().unwrap()
    };
    let soa = SOA::new(
        name("ns1.dns.example."),
        name("ops.harbor.example."),
        7,
        7200,
        900,
        1_209_600,
        300,
    );
    let all = [
        message(
            RecordType::NS,
            vec![RData::NS(NS(name("ns1.dns.example."))), RData::NS(NS(name("ns2.dns.example.")))],
        ),
        message(RecordType::SOA, vec![RData::SOA(soa)]),
        message(RecordType::A, vec![RData::A(A(Ipv4Addr::new(192, 0, 2, 10)))]),
        message(RecordType::CNAME, vec![RData::CNAME(CNAME(name("app.host.example.")))]),
        message(RecordType::MX, vec![RData::MX(MX::new(10, name("mx.harbor.example.")))]),
        message(
            RecordType::TXT,
            vec![RData::TXT(TXT::new(vec!["v=spf1 ip4:192.0.2.0/24 -all".to_owned()]))],
        ),
        message(
            RecordType::CAA,
            vec![RData::CAA(CAA::new_issue(false, Some(name("ca.example.")), Vec::new()))],
        ),
        message(RecordType::AAAA, Vec::new()),
    ];
    for (nth, one) in all.iter().enumerate() {
        seeds.add("dns_message", &format!("one-{nth}"), framed(std::slice::from_ref(one)));
    }
    let mut order = all.to_vec();
    for nth in 0..8 {
        seeds.add("dns_message", &format!("all-{nth}"), framed(&order));
        order.rotate_left(1);
    }
}

fn tls(seeds: &mut Seeds) {
    let hello = |version: u16, suite: u16, extensions: &[u8]| {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        if !extensions.is_empty() {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let message = [&[2], &length[1..], &body].concat();
        [&[22, 3, 3], u16::try_from(message.len()).unwrap().to_be_bytes().as_slice(), &message]
            .concat()
    };
    seeds.add("tls_hello", "tls13", hello(0x0303, 0x1301, &[0, 43, 0, 2, 3, 4]));
    seeds.add("tls_hello", "tls12", hello(0x0303, 0xc02f, &[0, 23, 0, 0, 255, 1, 0, 1, 0]));
    seeds.add("tls_hello", "tls10", hello(0x0301, 0x002f, &[]));
    seeds.add("tls_hello", "ssl3", hello(0x0300, 0x0005, &[]));
    seeds.add("tls_hello", "alert", [21, 3, 3, 0, 2, 2, 70]);
    seeds.add(
        "tls_hello",
        "warning",
        [&[21, 3, 3, 0, 2, 1, 112], hello(0x0303, 0x1302, &[0, 43, 0, 2, 3, 4]).as_slice()]
            .concat(),
    );
    seeds.add("tls_hello", "http", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
}

fn certificates(seeds: &mut Seeds) {
    let params = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0].clone());
        (params.not_before, params.not_after) =
            (date_time_ymd(2026, 9, 1), date_time_ymd(2027, 1, 1));
        params
    };
    let mut root = params(&["Public CA R1"]);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
    for (name, kind) in [("ecdsa", &PKCS_ECDSA_P256_SHA256), ("ed25519", &PKCS_ED25519)] {
        let mut leaf = params(&["harbor.example", "www.harbor.example", "192.0.2.10"]);
        leaf.custom_extensions =
            vec![access(1, "http://ocsp.ca.example/"), access(2, "http://ca.example/r1.der")];
        let key = KeyPair::generate_for(kind).unwrap();
        let der =
            leaf.signed_by(&key, &Issuer::from_params(&root, &root_key)).unwrap().der().to_vec();
        for byte in 0..3 {
            let data = [framed(&[der.clone(), root_der.clone()]), vec![byte]].concat();
            seeds.add("certificate", &format!("{name}-{byte}"), data);
        }
        let alone = params(&["harbor.example"]).self_signed(&key).unwrap().der().to_vec();
        seeds.add("certificate", &format!("{name}-alone"), framed(&[alone]));
    }
    ocsp(seeds);
}

/// Where an authority answers (1) or publishes its certificate (2).
fn access(method: u8, url: &str) -> CustomExtension {
    let tlv =
        |tag: u8, inside: &[u8]| [&[tag, u8::try_from(inside.len()).unwrap()], inside].concat();
    let oid = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
    let entry = tlv(0x30, &[oid, tlv(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &entry))
}

/// Answers of `openssl ocsp` about a good and a revoked certificate.
fn ocsp(seeds: &mut Seeds) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |line: &str| {
        let words = line.split_whitespace().map(|word| word.replace('@', &at("")));
        let ran = Command::new("openssl").args(words).current_dir(folder.path()).output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    let ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    run(&format!("req -x509 {ec} -keyout ca.key -out ca.pem -days 4000 -subj /CN=R1"));
    run(&format!("req {ec} -keyout leaf.key -out leaf.csr -subj /CN=harbor.example"));
    run(
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 0x4a11 -days 4000 -out leaf.pem",
    );
    run("x509 -in leaf.pem -outform DER -out leaf.der");
    run("x509 -in ca.pem -outform DER -out ca.der");
    run("ocsp -issuer ca.pem -cert leaf.pem -no_nonce -reqout ask.der");
    for (name, line) in [
        ("good", "V\t390101000000Z\t\t4A11\tunknown\t/CN=harbor.example\n"),
        ("revoked", "R\t390101000000Z\t260901000000Z\t4A11\tunknown\t/CN=harbor.example\n"),
        ("unknown", ""),
    ] {
        std::fs::write(at("index.txt"), line).unwrap();
        run(
            "ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin ask.der -respout answer.der -ndays 3000",
        );
        let read = |name: &str| std::fs::read(at(name)).unwrap();
        seeds.add("ocsp", name, framed(&[read("answer.der"), read("leaf.der"), read("ca.der")]));
    }
}

fn mail_servers(seeds: &mut Seeds) {
    let talks = [
        (
            "plain",
            "220 mx.harbor.example ESMTP\r\n250-mx.harbor.example\r\n250-SIZE 35882577\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
        ),
        ("long", "220-mx.harbor.example\r\n220 ready\r\n250 mx.harbor.example\r\n"),
        ("busy", "421 too many connections\r\n"),
        ("away", "554 5.7.1 no\r\n"),
        ("old", "220 mx\r\n502 what\r\n"),
    ];
    for (name, text) in talks {
        seeds.add("smtp", name, text);
    }
    let rdap = r#"{"objectClassName":"domain","ldhName":"harbor.example","status":["client transfer prohibited"],"events":[{"eventAction":"registration","eventDate":"2020-03-01T10:00:00Z"},{"eventAction":"expiration","eventDate":"2027-03-01T10:00:00Z"}],"nameservers":[{"ldhName":"NS1.DNS.EXAMPLE."}],"secureDNS":{"delegationSigned":true},"entities":[{"roles":["registrar"],"vcardArray":["vcard",[["version",{},"text","4.0"],["fn",{},"text","Some Registrar"]]]}]}"#;
    seeds.add("rdap", "known", rdap);
    seeds.add("rdap", "soon", rdap.replace("2027-03-01T10:00:00Z", "2026-11-25"));
    seeds.add("rdap", "held", rdap.replace("client transfer prohibited", "client hold"));
    seeds.add("rdap", "error", r#"{"objectClassName":"error","errorCode":404}"#);
}

fn bodies(seeds: &mut Seeds) {
    let text = "Harbor brings owners of berths and sailors together. ".repeat(40);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(text.as_bytes()).unwrap();
    let zlib = zlib.finish().unwrap();
    for limit in [0, 2, 255] {
        seeds.add("body", &format!("gzip-{limit}"), [&[0, limit], gzip.as_slice()].concat());
        seeds.add("body", &format!("deflate-{limit}"), [&[1, limit], zlib.as_slice()].concat());
        seeds.add("body", &format!("plain-{limit}"), [&[4, limit], text.as_bytes()].concat());
    }
}

fn user(seeds: &mut Seeds) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = std::fs::read_to_string(root.join("config.toml")).unwrap();
    // The example is longer than a seed may be: its tables come in pieces, as they stand and switched on.
    let short = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\nhosts = [\"www.harbor.example\"]\n";
    for (nth, piece) in config.split("\n\n").collect::<Vec<_>>().chunks(12).enumerate() {
        let piece = piece.join("\n\n");
        let on: Vec<&str> =
            piece.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
        let on: Vec<&str> =
            on.into_iter().filter(|line| line.contains(" = ") || line.starts_with('[')).collect();
        seeds.add("config", &format!("example-{nth}"), piece.clone());
        seeds.add("config", &format!("tables-{nth}"), format!("{short}\n{}\n", on.join("\n")));
    }
    let map = "from,to,status\n/old,/new,301\n/a,https://b.example/,\n";
    seeds.add(
        "config",
        "map",
        format!("{short}[project.web]\nredirect_map = \"map.csv\"\n\u{1e}{map}"),
    );
    seeds.add("config", "domain", "https://www.Häfen.example/shop\n");
    let signed = "[[attestation]]\nproject = \"harbor\"\nitem = \"mfa\"\nby = \"Ada\"\nnote = \"all five\"\nat = \"2026-11-01T00:00:00Z\"\nuntil = \"2027-01-30T00:00:00Z\"\n";
    seeds.add("attestations", "one", signed);
    let took = signed.replace("mfa", "rollback-tried") + "took = \"12m\"\n";
    let systems = signed.replace("mfa", "sources-of-truth") + "systems = 2\n";
    seeds.add("attestations", "three", format!("# by hand\n{signed}\n{took}\n{systems}"));
    let session = r#"{"id":"cs_1","object":"checkout.session","created":1795000000,"livemode":true,"status":"complete","payment_status":"paid","mode":"payment","currency":"eur","amount_total":4900,"customer":"cus_1","payment_intent":"pi_1","client_reference_id":"o-1","metadata":{"order":"o-1"},"customer_details":{"email":"ada@harbor.example"}}"#;
    seeds.add("checkouts", "one", format!("{session}\n"));
    seeds.add("checkouts", "bare", "{\"id\":\"cs_2\",\"created\":1795000000}\n\n");
    let expanded = session.replace("\"pi_1\"", "{\"id\":\"pi_1\"}").replace("cs_1", "cs_3");
    seeds.add("checkouts", "two", format!("{session}\n{expanded}\n"));
    for (name, text) in [
        (
            "postgres",
            "postgres://look:123456789012@db.harbor.example:6543/shop?sslmode=require\u{1e}a\\tb\t\\N\t\n\u{1e}x\\\\y\n",
        ),
        ("socket", "postgresql:///shop?host=/run/postgresql&user=look&password=p%40ss\u{1e}1\t2\n"),
        ("sqlite", "sqlite:shop.db?mode=ro\u{1e}\u{1e}1\n2\n"),
        ("sql", "select ';' ; -- done; really\n\u{1e}"),
        ("sql-two", "select \"a\"\";b\", [;] /* ; */ from t; delete from t"),
    ] {
        seeds.add("database", name, text);
    }
    for (name, text) in [
        ("work", "30 6 * * 1-5\nEurope/Berlin\n24h\n2%\n2026-03-28T00:00:00Z\n"),
        ("often", "*/10 * * * *\nUTC\n90s\n0.75%\n2026-11-22T00:00:00Z\n"),
        ("leap", "0 0 29 2 *\nAmerica/New_York\n366d\n100%\n"),
        ("names", "0 7 1,15 JAN-MAR sun\nAsia/Kolkata\n300ms\n0%\n"),
    ] {
        seeds.add("schedule", name, text);
    }
    for (name, text) in [
        (
            "plugin",
            "0DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\nmore | 'a ''b'=99%;@10:20;~:5 c=U\n",
        ),
        ("killed", "k\u{1e}Traceback\n"),
        ("time", "1WARN | time=0.012s;;;0.000 size=312KB rate=5c\n"),
    ] {
        seeds.add("perfdata", name, text);
    }
    let report = r#"{"lighthouseVersion":"12.8.2","categories":{"performance":{"score":0.29}},"audits":{"largest-contentful-paint":{"numericValue":4100.25},"total-blocking-time":{"numericValue":600},"cumulative-layout-shift":{"numericValue":0.02}}}"#;
    seeds.add("perfdata", "lighthouse", format!("0{report}"));
    seeds.add(
        "json_answer",
        "lighthouse",
        format!("$.categories['performance'].score\u{1e}@0:1\u{1e}{report}"),
    );
    seeds.add("json_answer", "list", "nodes[0].id\u{1e}~:5\u{1e}{\"nodes\":[{\"id\":3}]}");
}

fn reports(seeds: &mut Seeds) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/report/sample.json");
    let mut report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
    let whole = report.clone();
    let text = |report: &serde_json::Value| serde_json::to_vec(report).unwrap();
    for check in report["checks"].as_array_mut().unwrap() {
        check["findings"].as_array_mut().unwrap().truncate(1);
    }
    report["checks"].as_array_mut().unwrap().truncate(2);
    report["started_at"] = "2026-03-03T04:05:06Z".into();
    seeds.add("report", "one", text(&whole));
    seeds.add("report", "short", text(&report));
    let mut later = report.clone();
    later["started_at"] = "2026-03-04T04:05:06Z".into();
    later["checks"].as_array_mut().unwrap().truncate(1);
    seeds.add("report", "two", [text(&report), text(&later)].join(&0x1e));
    seeds.add("report", "three", [text(&report), text(&later), text(&later)].join(&0x1e));
    let audit = serde_json::json!({
        "version": "0.1.0", "started_at": "2026-11-23T09:00:00Z", "finished_at": "2026-11-23T09:00:09Z",
        "target": {"project": "harbor", "domain": "harbor.example"}, "not_used": ["mail"],
        "recheck": "launchready check {id}", "clock_behind_s": 7200,
    });
    let run = serde_json::json!({
        "id": "ops-heartbeat", "evidence_version": 1, "options": null, "duration_ms": 1,
        "outcome": {"outcome": "skipped", "reason": "no job has promised a call", "unlock": ""},
    });
    seeds.add("evidence", "audit", [text(&audit), text(&run)].join(&0x1e));
}
