//! Defects that are planted on real servers are found, and nothing beside them.

use crate::audit::{Expected, finds};
use crate::authority::PUBLISHED;
use crate::mail::has_postfix;
use crate::names::{self, Second, Zone};
use crate::support::has;
use crate::web::Web;
use crate::world::World;

const PROJECT: &str = r#"
hosts = ["www", "app"]
[project.mail]
sends_from = ["harbor.example"]
"#;

const RECORDS: &str = r#"
@ A 203.0.113.80
@ MX 10 mx
@ TXT "v=spf1 mx -all"
www A 203.0.113.80
app A 203.0.113.81
mx A 203.0.113.25
"#;

fn zone() -> Zone {
    Zone { records: RECORDS.to_owned(), ..Zone::default() }
}

fn has_names(test: &str, more: &[&str]) -> bool {
    has(test, &[&names::PROGRAMS[..], &["openssl"], more].concat())
}

/// What the check of the zone says of these name servers.
fn judge_names(test: &str, zone: &Zone, findings: &'static [&'static str]) {
    if !has_names(test, &[]) {
        return;
    }
    let mut world = World::new();
    world.names(zone);
    world.expect(PROJECT, &[finds("dns-resolution", findings)]);
}

#[test]
fn an_open_transfer_and_an_older_zone_are_found() {
    judge_names(
        "open transfer",
        &Zone { second: Second::OlderAndOpen, ..zone() },
        &["info dns-serial-mismatch harbor.example", "warning dns-transfer-open harbor.example"],
    );
}

#[test]
fn a_name_server_that_does_not_know_the_zone_is_found() {
    judge_names(
        "lame server",
        &Zone { second: Second::Foreign, ..zone() },
        &["warning dns-server-lame ns2.harbor.example"],
    );
}

#[test]
fn a_name_server_that_lacks_records_is_found() {
    judge_names(
        "lacking records",
        &Zone { second: Second::Incomplete, ..zone() },
        &[
            "warning dns-servers-disagree app.harbor.example",
            "warning dns-servers-disagree harbor.example MX",
        ],
    );
}

#[test]
fn signatures_that_ran_out_are_found() {
    let zone = Zone { expired: true, ..zone() };
    judge_names("old signatures", &zone, &["critical dnssec-broken harbor.example"]);
}

#[test]
fn a_fingerprint_of_another_key_at_the_registry_is_found() {
    let zone = Zone { wrong_ds: true, ..zone() };
    judge_names("wrong fingerprint", &zone, &["critical dnssec-broken harbor.example"]);
}

#[test]
fn defects_of_certificates_and_old_versions_are_found() {
    if !has_names("certificates", &["nginx"]) {
        return;
    }
    let mut world = World::new();
    let mut zone = zone();
    zone.records += "legacy A 203.0.113.82\nold A 203.0.113.83\nalone A 203.0.113.84\n";
    world.names(&zone);
    let authority = &world.authority;
    let modern = "ssl_protocols TLSv1.2 TLSv1.3; return 200 ready;";
    let mut web = Web::default();

    let at = web.machine(&["203.0.113.80"]);
    let sound_pair = authority.issue(&["harbor.example", "www.harbor.example"]);
    web.https(at, "harbor.example", &sound_pair, modern);
    // A vhost that was copied and kept the certificate of another name.
    let at = web.machine(&["203.0.113.81"]);
    web.https(at, "app.harbor.example", &authority.issue(&["api.harbor.example"]), modern);
    let at = web.machine(&["203.0.113.82"]);
    let legacy = authority.issue(&["legacy.harbor.example"]);
    let old = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0; return 200 old;";
    web.https(at, "legacy.harbor.example", &legacy, old);
    let at = web.machine(&["203.0.113.83"]);
    let expired = authority.issue_for(&["old.harbor.example"], (-95, -5));
    web.https(at, "old.harbor.example", &expired, modern);
    let at = web.machine(&["203.0.113.84"]);
    let mut alone = authority.issue(&["alone.harbor.example"]);
    alone.chain.clone_from(&alone.leaf);
    web.https(at, "alone.harbor.example", &alone, modern);

    let folder = world.new_folder("web");
    std::fs::copy(world.authority.published(), folder.join("issuing.der")).unwrap();
    let issuer = crate::port::free_port();
    web.plain(issuer, "root .;");
    world.lead(format!("{PUBLISHED}:80"), issuer);
    world.web(&folder, web);
    let project = "hosts = [\"www\", \"app\", \"legacy\", \"old\", \"alone\"]\n";
    world.expect(
        project,
        &[
            finds(
                "tls-certificate",
                &[
                    "critical certificate-name-mismatch app.harbor.example",
                    "critical certificate-expired old.harbor.example",
                    "critical certificate-chain-incomplete alone.harbor.example",
                ],
            ),
            finds(
                "tls-protocol",
                &[
                    "warning tls-old-version-accepted legacy.harbor.example",
                    "warning tls-1-3-missing legacy.harbor.example",
                ],
            ),
        ],
    );
}

const MAIL: &[&str] = &["info tls-reports-missing _smtp._tls.harbor.example"];

fn judge_mail(test: &str, names: Option<&[&str]>, findings: &'static [&'static str]) {
    if !has_names(test, &["postfix"]) || !has_postfix(test) {
        return;
    }
    let mut world = World::new();
    world.names(&zone());
    let certificate = names.map(|names| world.authority.issue(names));
    world.mail(certificate.as_ref());
    world.expect(PROJECT, &[finds("mail-transport", findings)]);
}

#[test]
fn a_mail_server_with_encryption_is_sound() {
    judge_mail("encrypted mail", Some(&["mx.harbor.example"]), MAIL);
}

#[test]
fn a_mail_server_without_encryption_is_found() {
    judge_mail(
        "mail in the clear",
        None,
        &[
            "info tls-reports-missing _smtp._tls.harbor.example",
            "warning mx-without-starttls mx.harbor.example",
        ],
    );
}

#[test]
fn a_mail_server_with_the_certificate_of_another_name_is_found() {
    judge_mail(
        "mail under another name",
        Some(&["mail.harbor.example"]),
        &[
            "info tls-reports-missing _smtp._tls.harbor.example",
            "warning mx-certificate-wrong mx.harbor.example",
        ],
    );
}

const PAGE: &str = "<!DOCTYPE html><html><head><title>Harbor</title>\
    <script src=\"/assets/index-D4kT9sWv.js\"></script></head><body>Harbor</body></html>";

#[test]
fn a_careless_web_server_is_found_out() {
    if !has_names("careless web server", &["nginx"]) {
        return;
    }
    let mut world = World::new();
    world.names(&zone());
    let folder = world.new_folder("web");
    let site = world.new_folder("web/site");
    std::fs::write(site.join("index.html"), PAGE).unwrap();
    std::fs::create_dir(site.join("assets")).unwrap();
    std::fs::write(site.join("assets/index-D4kT9sWv.js"), "run();\n".repeat(500)).unwrap();

    let mut web = Web::default();
    let at = web.machine(&["203.0.113.80"]);
    let pair = world.authority.issue(&["harbor.example", "www.harbor.example"]);
    let tls = "ssl_protocols TLSv1.2 TLSv1.3;";
    // The bare domain is served in the clear, www forgets the path on its way there.
    let open = "root site; add_header Set-Cookie 'session=$request_id; Path=/';";
    web.http(at, "harbor.example", open);
    web.http(at, "www.harbor.example", "return 302 https://harbor.example/;");
    web.https(at, "harbor.example", &pair, &format!("{tls} {open}"));
    web.https(
        at,
        "www.harbor.example",
        &pair,
        &format!("{tls} return 302 https://harbor.example/;"),
    );
    let at = web.machine(&["203.0.113.81"]);
    web.http(at, "app.harbor.example", "return 301 https://$host$request_uri;");
    // The application believes every origin.
    let app = "server_tokens off; default_type application/json;
        add_header Access-Control-Allow-Origin $http_origin;
        add_header Access-Control-Allow-Credentials true;
        add_header Cache-Control 'private, no-store';
        location / { return 200 '{\"berths\":212}'; }";
    let pair = world.authority.issue(&["app.harbor.example"]);
    web.https(at, "app.harbor.example", &pair, &format!("{tls} {app}"));
    world.web(&folder, web);

    world.expect(PROJECT, WEB);
}

const WEB: &[Expected] = &[
    finds(
        "web-redirects",
        &[
            "critical http-not-redirected http://harbor.example/",
            "warning redirect-drops-path https://www.harbor.example/",
            "info redirect-temporary http://www.harbor.example/",
        ],
    ),
    finds(
        "web-headers",
        &[
            "warning hsts-missing https://harbor.example/",
            "warning csp-missing https://harbor.example/",
            "warning framing-allowed https://harbor.example/",
            "warning nosniff-missing https://harbor.example/",
            "info referrer-policy-missing https://harbor.example/",
            "info version-banner https://harbor.example/",
            "critical session-cookie-insecure https://harbor.example/",
            "warning session-cookie-readable https://harbor.example/",
            "info cookie-samesite-missing https://harbor.example/",
        ],
    ),
    finds("web-cors", &["critical cors-credentials-to-strangers https://app.harbor.example/"]),
    finds(
        "web-caching",
        &[
            "warning asset-short-lived https://harbor.example/",
            "warning compression-missing https://harbor.example/assets/index-D4kT9sWv.js",
        ],
    ),
];

#[test]
fn a_site_that_leads_in_a_circle_is_found() {
    if !has_names("circle", &["nginx"]) {
        return;
    }
    let mut world = World::new();
    world.names(&zone());
    let folder = world.new_folder("web");
    let mut web = Web::default();
    let at = web.machine(&["203.0.113.80"]);
    let names = ["harbor.example", "www.harbor.example"];
    let pair = world.authority.issue(&names);
    // Two rules that each look sensible: one in front of the server, one on it.
    web.http(at, &names.join(" "), "return 301 https://harbor.example$request_uri;");
    let back = "return 301 http://harbor.example$request_uri;";
    web.https(at, &names.join(" "), &pair, &format!("ssl_protocols TLSv1.2 TLSv1.3; {back}"));
    world.web(&folder, web);
    world.expect(
        "hosts = [\"www\"]\n",
        &[finds(
            "web-redirects",
            &[
                "critical redirect-loop harbor.example",
                "critical redirect-downgrade https://harbor.example/",
                "critical redirect-downgrade https://www.harbor.example/",
            ],
        )],
    );
}

/// Made here from parts, so that nobody who searches this repository for keys finds one.
fn planted_keys() -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iss":"supabase","ref":"abcdefghijklmnopqrst","role":"service_role","iat":1750000000,"exp":2065000000}"#;
    let token = format!(
        "{}.{}.{}",
        part(r#"{"alg":"HS256","typ":"JWT"}"#),
        part(claims),
        part("a signature of 32 bytes, planted")
    );
    let stripe = format!("sk_{}_{}", "live", "51QmN8bVcXzLkJhGfDsAqWeRtYuIoP0aSdFgHjKl");
    format!("const stripe = \"{stripe}\";\nconst admin = \"{token}\";\n{}", "run();\n".repeat(500))
}

#[test]
fn keys_and_files_that_are_served_by_mistake_are_found() {
    if !has_names("served secrets", &["nginx"]) {
        return;
    }
    let mut world = World::new();
    // One host alone, so that the requests of one run suffice for every path.
    world.names(&Zone { records: "@ A 203.0.113.80\n".to_owned(), ..Zone::default() });
    let folder = world.new_folder("web");
    let site = world.new_folder("web/site");
    std::fs::write(site.join("index.html"), PAGE).unwrap();
    std::fs::create_dir(site.join("assets")).unwrap();
    std::fs::write(site.join("assets/index-D4kT9sWv.js"), planted_keys()).unwrap();
    let password = ["DATABASE_PASSWORD", "correcthorsebattery"].join("=");
    std::fs::write(site.join(".env"), format!("{password}\nMAIL_HOST=mx.harbor.example\n"))
        .unwrap();
    std::fs::create_dir(site.join("uploads")).unwrap();
    std::fs::write(site.join("uploads/invoice.txt"), "42").unwrap();
    let mut web = Web::default();
    let at = web.machine(&["203.0.113.80"]);
    let pair = world.authority.issue(&["harbor.example"]);
    let content = "root site; location /uploads/ { autoindex on; }";
    web.https(at, "harbor.example", &pair, content);
    world.web(&folder, web);
    world.expect("", SERVED);
}

const SERVED: &[Expected] = &[
    finds(
        "secrets-bundle",
        &[
            "critical bundle-secret stripe_sk_live sk_live_…HjKl",
            "critical bundle-secret supabase_service_role_jwt eyJ…0ZWQ",
        ],
    ),
    finds(
        "secrets-files",
        &[
            "critical exposed-env-file harbor.example",
            "warning exposed-directory-listing harbor.example",
        ],
    ),
];
