//! A product that is set up well on servers of its own gives no finding that is not deserved.

use std::path::Path;

use jiff::SignedDuration;
use launchready::clock::{Clock as _, SystemClock};

use crate::audit::{Expected, finds, sound};
use crate::authority::{Certificate, signing_key};
use crate::mail::has_postfix;
use crate::names::{self, Zone};
use crate::support::has;
use crate::web::Web;
use crate::world::World;

/// What each page is sent with.
const HEADERS: &str = "
add_header Strict-Transport-Security 'max-age=63072000; includeSubDomains' always;
add_header Content-Security-Policy \"default-src 'self'; frame-ancestors 'none'; base-uri 'self'; \
form-action 'self'; object-src 'none'\" always;
add_header X-Frame-Options DENY always;
add_header X-Content-Type-Options nosniff always;
add_header Referrer-Policy strict-origin-when-cross-origin always;
";

const PROJECT: &str = r#"
hosts = ["www", "app"]
not_used = ["stripe", "supabase", "database", "crm", "support", "automation"]
[project.web]
legal_pages = ["/privacy", "/terms", "/refunds"]
webhook_paths = ["https://app.harbor.example/webhooks/stripe"]
oauth_paths = ["https://app.harbor.example/auth/callback"]
[project.mail]
sends_from = ["harbor.example"]
selectors = ["mail"]
"#;

/// What is said of it.
const EXPECTED: &[Expected] = &[
    sound("domain-registration"),
    sound("dns-resolution"),
    // The config does not list `mta-sts`, which the certificate names.
    finds("dns-subdomains", &["info subdomain-undeclared harbor.example"]),
    Expected { check: "dns-drift", findings: &["skipped"], not_checked: &["changes of records"] },
    sound("mail-spf"),
    sound("mail-dkim"),
    sound("mail-dmarc"),
    sound("mail-transport"),
    sound("tls-certificate"),
    sound("tls-protocol"),
    sound("web-redirects"),
    sound("web-headers"),
    sound("web-cors"),
    sound("web-caching"),
    // Nothing stands in front of nginx, and nobody has proven that the domain is theirs.
    Expected {
        check: "web-edge",
        findings: &[
            "warning edge-missing app.harbor.example",
            "warning edge-missing harbor.example",
        ],
        not_checked: &["a webhook at https://app.harbor.example/webhooks/stripe"],
    },
    // One look is no day.
    Expected { check: "web-uptime", findings: &[], not_checked: &["error rate over 24 hours"] },
    // No endpoint is declared that somebody could try too often.
    finds("web-rate-limits", &["skipped"]),
    sound("web-pages"),
    sound("secrets-bundle"),
    sound("secrets-files"),
    // There are servers here and no source.
    finds("secrets-source", &["skipped"]),
    finds("supabase-anon-access", &["skipped"]),
    finds("ops-heartbeat", &["skipped"]),
    finds("ops-alerting", &["skipped"]),
];

fn records(folder: &Path) -> String {
    let key = signing_key(folder);
    let (head, tail) = key.split_at(200);
    format!(
        "@ A 203.0.113.80\n@ AAAA 2001:db8::80\n@ MX 10 mx\n@ TXT \"v=spf1 mx -all\"\n\
         www A 203.0.113.80\nwww AAAA 2001:db8::80\nwww TXT \"v=spf1 -all\"\n\
         app A 203.0.113.81\napp TXT \"v=spf1 -all\"\n\
         mx A 203.0.113.25\nmx TXT \"v=spf1 a -all\"\n\
         mail._domainkey TXT \"v=DKIM1; k=rsa; p={head}\" \"{tail}\"\n\
         _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@harbor.example\"\n\
         _mta-sts TXT \"v=STSv1; id=20260901\"\nmta-sts A 203.0.113.80\n\
         _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:tls@harbor.example\"\n"
    )
}

fn page(title: &str, path: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <link rel=\"canonical\" href=\"{path}\"><link rel=\"icon\" href=\"/favicon.svg\">\
         <link rel=\"stylesheet\" href=\"/assets/index-B7xQm2Lp.css\">\
         <script type=\"module\" src=\"/assets/index-D4kT9sWv.js\"></script></head>\
         <body><main><h1>{title}</h1><p>{text}</p><p><a href=\"/\">Start</a> \
         <a href=\"/privacy\">Privacy</a> <a href=\"/terms\">Terms</a> \
         <a href=\"/refunds\">Refunds</a></p></main></body></html>\n"
    )
}

fn write_pages(folder: &Path) {
    let text =
        "Owners of berths earn money on the nights when their boat is away, and sailors find \
                a safe place without calling ten harbours. You pay by card, the owner is paid when \
                you have left, and somebody answers when a rope is missing. "
            .repeat(2);
    for (file, title, path) in [
        ("index", "Harbor: a berth for tonight", "/"),
        ("privacy", "Privacy policy of Harbor", "/privacy"),
        ("terms", "Terms of Harbor", "/terms"),
        ("refunds", "Refunds at Harbor", "/refunds"),
    ] {
        let address = format!("https://harbor.example{path}");
        let content = page(title, &address, &text);
        std::fs::write(folder.join(format!("{file}.html")), content).unwrap();
    }
    std::fs::write(folder.join("404.html"), page("Not found", "/", "There is no such page."))
        .unwrap();
    let signin = page("Sign in to Harbor", "https://app.harbor.example/", &text);
    std::fs::write(folder.join("signin.html"), signin).unwrap();
    let icon = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>";
    std::fs::write(folder.join("favicon.svg"), icon).unwrap();
    let assets = folder.join("assets");
    std::fs::create_dir(&assets).unwrap();
    let css = ".berth{display:block;margin:0;padding:1rem;color:#0b3c5d}\n".repeat(60);
    std::fs::write(assets.join("index-B7xQm2Lp.css"), css).unwrap();
    // Keys that are made for browsers are no secret.
    let public = format!("pk_live_{}", "51QmN8bVcXzLkJhGfDsAqWeRtYuIoP");
    let script = format!("const stripe = Stripe(\"{public}\");\n{}", "export {};\n".repeat(300));
    std::fs::write(assets.join("index-D4kT9sWv.js"), script).unwrap();
    let contact = "Contact: https://harbor.example/contact\nExpires: 2036-01-01T00:00:00Z\n";
    std::fs::create_dir(folder.join(".well-known")).unwrap();
    std::fs::write(folder.join(".well-known/security.txt"), contact).unwrap();
    let policy = "version: STSv1\nmode: enforce\nmx: mx.harbor.example\nmax_age: 604800\n";
    std::fs::write(folder.join("mta-sts.txt"), policy).unwrap();
}

fn write_registration(folder: &Path) {
    let now = SystemClock.now();
    let [made, ends] = [-800, 400].map(|days| now + SignedDuration::from_hours(24 * days));
    let object = serde_json::json!({
        "objectClassName": "domain",
        "ldhName": "harbor.example",
        "status": ["client transfer prohibited"],
        "events": [
            { "eventAction": "registration", "eventDate": made.to_string() },
            { "eventAction": "expiration", "eventDate": ends.to_string() },
        ],
        "nameservers": [{ "ldhName": "ns1.harbor.example" }, { "ldhName": "ns2.harbor.example" }],
        "secureDNS": { "delegationSigned": true },
    });
    std::fs::create_dir(folder.join("domain")).unwrap();
    std::fs::write(folder.join("domain/harbor.example"), object.to_string()).unwrap();
}

fn site(world: &World, folder: &Path) -> Web {
    write_pages(folder);
    let certificate = |names: &[&str]| world.authority.issue(names);
    let upgrade = "return 301 https://$host$request_uri;";
    let common = format!(
        "ssl_protocols TLSv1.2 TLSv1.3; server_tokens off; gzip on; gzip_types *; root .; {HEADERS}"
    );
    let assets = format!(
        "location /assets/ {{ {HEADERS} add_header Cache-Control 'public, max-age=31536000, \
         immutable'; }}\nerror_page 404 /404.html;"
    );
    let mut web = Web::default();
    let at = web.machine(&["203.0.113.80", "[2001:db8::80]"]);
    let names = ["harbor.example", "www.harbor.example", "mta-sts.harbor.example"];
    let pair: Certificate = certificate(&names);
    web.http(at, &names.join(" "), &format!("server_tokens off; {upgrade}"));
    let pages = format!(
        "{common} location / {{ {HEADERS} add_header Cache-Control no-cache; \
         try_files $uri $uri.html $uri/index.html =404; }}\n{assets}"
    );
    web.https(at, "harbor.example", &pair, &pages);
    let leave = format!("{common} return 301 https://harbor.example$request_uri;");
    web.https(at, "www.harbor.example", &pair, &leave);
    let policy = format!(
        "{common} location = /.well-known/mta-sts.txt {{ alias mta-sts.txt; }}\n\
                          location / {{ return 404; }}"
    );
    web.https(at, "mta-sts.harbor.example", &pair, &policy);

    let at = web.machine(&["203.0.113.81"]);
    web.http(at, "app.harbor.example", &format!("server_tokens off; {upgrade}"));
    let app = format!(
        "{common} location = / {{ {HEADERS} add_header Cache-Control 'private, no-store'; \
         add_header Set-Cookie 'harbor_session=$request_id; Path=/; Secure; HttpOnly; SameSite=Lax'; \
         try_files /signin.html =404; }}\nlocation = /webhooks/stripe {{ {HEADERS} \
         limit_except POST {{ deny all; }} return 405; }}\n\
         location = /auth/callback {{ {HEADERS} return 400; }}\n\
         location / {{ {HEADERS} try_files $uri =404; }}\n{assets}"
    );
    web.https(at, "app.harbor.example", &certificate(&["app.harbor.example"]), &app);
    web
}

#[test]
fn a_sound_product_on_its_own_servers_gives_only_what_it_deserves() {
    let test = "a sound product";
    let programs = [&names::PROGRAMS[..], &["nginx", "postfix", "openssl"]].concat();
    if !has(test, &programs) || !has_postfix(test) {
        return;
    }
    let mut world = World::new();
    let zone = Zone { records: records(world.folder()), ..Zone::default() };
    world.names(&zone);
    let folder = world.new_folder("web");
    let mut web = site(&world, &folder);
    write_registration(&folder);
    let rdap = crate::port::free_port();
    web.plain(rdap, "root .; default_type application/rdap+json;");
    world.rdap = Some(rdap);
    world.web(&folder, web);
    let certificate = world.authority.issue(&["mx.harbor.example"]);
    world.mail(Some(&certificate));

    let report = world.expect_all(PROJECT, EXPECTED);
    assert_eq!(report.exit, Some(0), "no critical finding");
    assert_ne!(report.json["verdict"], "no_go");
}
