//! Keys in their surroundings. The samples are put together here, so that no key stands in the
//! source in one piece.

use proptest::prelude::*;

use super::*;

const RANDOM: &str =
    "Zk3PqLm8Tn2VbXc7Rw5YsGh1Jd9FaQe4Uo6KiMr0NvBtCxWzPlHyEgDsAjSfXuQw7ViOkTbZ2YnRm5";
const HEX: &str = "9f3a1c7e5b2d8046af19c3e7d5b20864f1a7c93e";

fn found(text: &str) -> Vec<(&'static str, String)> {
    let value = |hit: &Match| String::from_utf8_lossy(&text.as_bytes()[hit.range()]).into_owned();
    scan(text.as_bytes()).iter().map(|hit| (hit.kind.id, value(hit))).collect()
}

fn jwt(payload: &str) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let head = encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    format!("{head}.{}.{}", encode(payload), &RANDOM[..43])
}

fn samples_in_one_text() -> String {
    let texts: Vec<_> = samples().into_iter().map(|(_, value)| format!("k=\"{value}\";")).collect();
    texts.concat()
}

fn samples() -> Vec<(&'static str, String)> {
    let r = |n: usize| &RANDOM[..n];
    vec![
        ("stripe_sk_live", format!("sk_{}_{}", "live", r(24))),
        ("stripe_sk_live", format!("sk_{}_51{}", "live", r(70))),
        ("stripe_rk_live", format!("rk_{}_{}", "live", r(24))),
        ("stripe_sk_test", format!("sk_{}_{}", "test", r(24))),
        ("stripe_whsec", format!("whsec_{}", r(32))),
        ("stripe_whsec", format!("whsec_{}=", r(43))),
        ("supabase_sb_secret", format!("sb_{}_{}_{}", "secret", r(22), &RANDOM[30..38])),
        ("supabase_access_token", format!("sbp_{HEX}")),
        ("supabase_service_role_jwt", jwt(r#"{"iss":"supabase","role":"service_role"}"#)),
        ("supabase_service_role_jwt", jwt(r#"{"role":"service\u005frole","iss":"supabase"}"#)),
        ("database_url", format!("postgresql://postgres:{}@db.harbor.dev", r(16))),
        ("database_url", format!("mongodb+srv://app:{}@cluster0.harbor.dev", r(16))),
        ("database_url", format!("rediss://default:{}@cache.harbor.dev", r(16))),
        ("database_url", format!("redis://:{}@cache.harbor.dev", r(16))),
        ("database_url", format!("redis://app:{}@cache.harbor.dev", r(16))),
        ("database_url", format!("rediss://app:{}@cache.harbor.dev", r(16))),
        ("database_url", format!("mysql://app:{}@db.harbor.dev", r(16))),
        ("service_url", format!("smtps://app:{}@mail.harbor.dev", r(16))),
        ("service_url", format!("cloudinary://8412:{}@harbor.cloud", r(16))),
        ("service_url", format!("amqps://app:{}@queue.harbor.dev", r(16))),
        ("aws_access_key_id", format!("AKIA{}", "Z7QPLM3TNV2BXC5R")),
        ("github_token", format!("ghp_{}{}", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17")),
        ("github_token", format!("ghr_{}{}", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17")),
        ("github_fine_grained_token", format!("github_{}_{}_{}", "pat", r(22), r(59))),
        ("gitlab_token", format!("glpat-{}", r(20))),
        ("npm_token", format!("npm_{}", r(36))),
        ("slack_token", format!("xoxb-{}-{}-{}", "2718281828459", "3141592653589", r(24))),
        ("slack_webhook", format!("hooks.slack.com/services/T04Q7ZP2M/B05R8YN3K/{}", r(24))),
        ("discord_webhook", format!("discord.com/api/webhooks/112233445566778899/{}", r(68))),
        ("openai_key", format!("sk-proj-{}T3BlbkFJ{}", r(20), r(20))),
        ("openai_project_key", format!("sk-proj-{}", r(60))),
        ("anthropic_key", format!("sk-ant-{}{}{}", "api03-", r(70), r(23))),
        ("openrouter_key", format!("sk-or-v1-{HEX}{}", &HEX[..24])),
        ("groq_key", format!("gsk_{}", r(52))),
        ("perplexity_key", format!("pplx-{}", r(48))),
        ("resend_key", format!("re_{}_{}", r(8), r(24))),
        ("sendgrid_key", format!("SG.{}.{}", r(22), r(43))),
        ("brevo_key", format!("xkeysib-{HEX}{}-{}", &HEX[..24], r(16))),
        ("hubspot_token", format!("pat-na1-{}-4a1c-4b7e-9d2f-{}", &HEX[..8], &HEX[8..20])),
        ("google_oauth_secret", format!("GOCSPX-{}", r(28))),
        ("shopify_token", format!("shpat_{}", &HEX[..32])),
        ("sentry_token", format!("sntrys_{}", r(70))),
        ("mapbox_secret_token", format!("sk.{}.{}", "eyJ1IjoiaGFyYm9yIiwiYSI6ImNreDEifQ", r(22))),
        ("digitalocean_token", format!("dop_v1_{HEX}{}", &HEX[..24])),
    ]
}

#[test]
fn a_key_is_found_whole_wherever_it_stands() {
    for (kind, value) in samples() {
        for (before, after) in [
            ("const key=\"", "\";"),
            ("KEY=", "\n"),
            ("new Client('", "',{a:1})"),
            ("{key:`", "`}"),
            ("x=\"keys:\\n", "\";"),
            ("\"{\\\"key\\\":\\\"", "\\\"}\""),
            ("Authorization: Bearer ", "\r\n"),
        ] {
            let text = format!("{before}{value}{after}");
            assert_eq!(found(&text), [(kind, value.clone())], "{kind} in {text}");
        }
    }
}

#[test]
fn every_kind_has_a_sample_or_a_test_of_its_own() {
    let named = [
        "stripe_rk_test",
        "aws_secret_access_key",
        "postmark_token",
        "twilio_auth_token",
        "private_key",
        "encrypted_private_key",
        "google_service_account",
    ];
    for kind in KINDS {
        let sampled = samples().iter().any(|(id, _)| *id == kind.id);
        assert!(sampled || named.contains(&kind.id), "{}", kind.id);
    }
    let ids: std::collections::BTreeSet<_> = KINDS.iter().map(|kind| kind.id).collect();
    assert_eq!(ids.len(), KINDS.len());
}

#[test]
fn keys_beside_their_name_are_found() {
    let secret = &RANDOM[..40];
    let uuid = format!("{}-4a1c-4b7e-9d2f-{}", &HEX[..8], &HEX[8..20]);
    for (kind, text, value) in [
        ("aws_secret_access_key", format!("{{secretAccessKey:\"{secret}\"}}"), secret.to_owned()),
        ("aws_secret_access_key", format!("AWS_SECRET_ACCESS_KEY={secret}\n"), secret.to_owned()),
        (
            "aws_secret_access_key",
            format!(r#""{{\"SecretAccessKey\": \"{secret}\"}}""#),
            secret.to_owned(),
        ),
        ("postmark_token", format!("POSTMARK_SERVER_TOKEN={uuid}\n"), uuid.clone()),
        ("postmark_token", format!("\"X-Postmark-Server-Token\":\"{uuid}\""), uuid),
        (
            "twilio_auth_token",
            format!("{{accountSid:\"AC{}\",authToken:\"{}\"}}", &HEX[4..36], &HEX[..32]),
            HEX[..32].to_owned(),
        ),
        (
            "stripe_rk_test",
            format!("'rk_{}_{}'", "test", &RANDOM[..24]),
            format!("rk_{}_{}", "test", &RANDOM[..24]),
        ),
    ] {
        assert_eq!(found(&text), [(kind, value)], "{text}");
    }
}

#[test]
fn private_keys_are_found_with_real_and_escaped_line_ends() {
    for line_end in ["\n", "\\n"] {
        let block = |head: &str| {
            let body = format!("{RANDOM}{line_end}{RANDOM}");
            format!("-----BEGIN {head}-----{line_end}{body}{line_end}-----END {head}-----")
        };
        let key = block(concat!("PRIVATE", " KEY"));
        assert_eq!(found(&format!("k=\"{key}\"")), [("private_key", key.clone())]);
        let account = format!("{{\"type\":\"service_account\",\"private_key\":\"{key}\"}}");
        assert_eq!(found(&account), [("google_service_account", key)]);
        let sealed = block(concat!("ENCRYPTED PRIVATE", " KEY"));
        assert_eq!(found(&sealed), [("encrypted_private_key", sealed.clone())]);
    }
    let code = "\"-----BEGIN PRIVATE KEY-----\\n\"+btoa(String.fromCharCode(...new Uint8Array(k))).replace(/x/g,\"y\")+\"\\n-----END PRIVATE KEY-----\"";
    assert_eq!(found(code), []);
}

#[test]
fn what_is_public_by_design_or_no_key_is_not_reported() {
    let r = |n: usize| &RANDOM[..n];
    for text in [
        format!("pk_live_51{}", r(70)),
        format!("pk_test_51{}", r(70)),
        format!("sb_publishable_{}_{}", r(22), r(8)),
        jwt(r#"{"iss":"supabase","role":"anon"}"#),
        jwt(r#"{"iss":"supabase","role":"anon","note":"never service_role"}"#),
        jwt(r#"{"iss":"supabase","app_metadata":{"role":"service_role"}}"#),
        // The key of every local development stack.
        jwt(r#"{"iss":"supabase-demo","role":"service_role","exp":1983812996}"#),
        format!("AIza{}", r(35)),
        format!("phc_{}", r(43)),
        format!("https://{}@o447951.ingest.sentry.io/5429219", &HEX[..32]),
        format!("pk.eyJ1IjoiaGFyYm9yIiwiYSI6ImNreDEifQ.{}", r(22)),
        format!("algoliasearch(\"B1G2GM9NG0\",\"{}\")", &HEX[..32]),
        format!("6Le{}", r(37)),
        format!("accountSid:\"AC{}\"", &HEX[..32]),
        format!("authToken:\"{}\"", &HEX[..32]),
        "sk_live_xxx sk_live_... sk_live_YOUR_KEY_HERE sk_live_${STRIPE_KEY}".to_owned(),
        format!("sk_live_{} whsec_{}", "x".repeat(24), "X".repeat(32)),
        "e.task_live_update=1,e.disk_live_usage_percentage_total_for_everybody=2".to_owned(),
        "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        format!("base64,{}AKIAZ7QPLM3TNV2BXC5R{}", r(60), r(60)),
        "X-Amz-Credential=AKIAZ7QPLM3TNV2BXC5R%2F20261123%2Feu-west-1".to_owned(),
        "postgres://postgres:postgres@db.harbor.dev/app".to_owned(),
        format!("postgres://postgres:{}@localhost:5432/app", r(16)),
        format!("postgres://app:{}@db:5432/app", r(16)),
        "postgresql://postgres:[YOUR-PASSWORD]@db.harbor.dev:5432/postgres".to_owned(),
        "mysql://${USER}:${PASS}@${HOST}/app".to_owned(),
        // A wrong checksum: no token.
        format!("ghp_{}", r(36)),
        "hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        "secretAccessKey:\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"".to_owned(),
        format!("secretAccessKey:\"{HEX}\""),
        "where_are_we_now=\"re_render_this_component_please_now\"".to_owned(),
    ] {
        assert_eq!(found(&text), [], "{text}");
    }
}

#[test]
fn the_literals_fit_the_vectorised_search() {
    let texts: Vec<_> = literals::LITERALS.iter().map(|literal| literal.text).collect();
    assert_eq!(texts.iter().map(|text| text.len()).max(), Some(literals::LONGEST));
    assert!(texts.len() <= 64 && texts.iter().all(|text| text.len() >= 3));
    for (place, text) in texts.iter().enumerate() {
        let hidden = |(other, longer): (usize, &&str)| other != place && longer.starts_with(text);
        assert!(!texts.iter().enumerate().any(hidden), "{text} hides another literal");
    }
    if cfg!(target_arch = "x86_64") && std::is_x86_feature_detected!("avx2") {
        assert!(matches!(*SEARCH, Some(Search::Vectorised(_))));
    }
}

#[test]
fn both_searches_find_the_same() {
    let texts = || literals::LITERALS.iter().map(|literal| literal.text.as_bytes());
    let automaton = Search::Automaton(
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts()).unwrap(),
    );
    let text = samples_in_one_text();
    let search = SEARCH.as_ref().unwrap();
    let mut from = 0;
    while let Some(found) = search.next(text.as_bytes(), from, text.len()) {
        assert_eq!(automaton.next(text.as_bytes(), from, text.len()), Some(found));
        from = found.0 + 1;
    }
}

#[test]
fn a_name_within_a_key_may_name_the_one_after_it() {
    let head = concat!("PRIVATE", " KEY");
    let body = format!("{RANDOM}POSTMARK");
    let key = format!("-----BEGIN {head}-----{body}-----END {head}-----");
    let uuid = format!("{}-4a1c-4b7e-9d2f-{}", &HEX[..8], &HEX[8..20]);
    let text = format!("{key} {uuid}");
    assert_eq!(found(&text), [("private_key", key), ("postmark_token", uuid)]);
    assert_parts(&text);
}

#[test]
fn parts_of_a_file_together_hold_what_the_file_holds() {
    assert_parts(&samples_in_one_text());
}

fn assert_parts(text: &str) {
    let whole = scan(text.as_bytes());
    for size in [1, 7, 64, 1000] {
        let mut found = Vec::new();
        for start in (0..text.len()).step_by(size) {
            scan_part(text.as_bytes(), start..(start + size).min(text.len()), &mut found);
        }
        assert_eq!(found, whole, "parts of {size} bytes");
    }
}

#[test]
fn what_is_shown_gives_nothing_away() {
    let shop = FingerprintKey::of_project("harbor");
    for (kind, value) in samples() {
        let text = format!("\"{value}\"");
        let hit = scan(text.as_bytes())[0];
        let masked = hit.masked(text.as_bytes());
        assert!(!masked.contains(&value) && masked.contains('…'), "{kind}: {masked}");
        let common = value.len() - masked.len().min(value.len());
        assert!(common >= 12, "{kind}: {masked} hides only {common} characters");
        let print = hit.fingerprint(text.as_bytes(), &shop);
        assert_eq!(print.len(), 16);
        assert_ne!(print, hit.fingerprint(text.as_bytes(), &FingerprintKey::of_project("other")));
    }
    let url = |password: &str| format!("\"postgres://app:{password}@db.harbor.dev\"");
    let print = |text: &str| scan(text.as_bytes())[0].fingerprint(text.as_bytes(), &shop);
    assert_eq!(print(&url("Tr0ub4dor")), print(&url("c0rrecthorse")));
    let text = url("Tr0ub4dor");
    let masked = scan(text.as_bytes())[0].masked(text.as_bytes());
    assert_eq!(masked, "postgres://…@db.harbor.dev");
}

#[test]
fn a_password_with_an_at_sign_of_its_own_ends_at_the_last() {
    for (text, shown) in [
        ("postgres://app:Tr0ub@4dor@db.harbor.dev:5432/app", "postgres://…@db.harbor.dev"),
        ("smtp://me@harbor.dev:Tr0ub4dor@mail.harbor.dev:587", "smtp://…@mail.harbor.dev"),
        ("mysql://app:Tr0ub4dor@db.harbor.dev?admin=me@harbor.dev", "mysql://…@db.harbor.dev"),
        ("mysql://app:Tr0#ub@4d?or@db.harbor.dev/app", "mysql://…@db.harbor.dev"),
    ] {
        let hits = scan(text.as_bytes());
        let masked: Vec<_> = hits.iter().map(|hit| hit.masked(text.as_bytes())).collect();
        assert_eq!(masked, [shown], "{text}");
    }
    for text in ["redis://me@harbor.dev:6379/0", "postgres://app:Tr0ub@4dor@localhost:5432/app"] {
        assert_eq!(found(text), [], "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        scan(&bytes);
    }

    #[test]
    fn any_mixture_of_literals_is_read_without_a_panic(
        parts in prop::collection::vec((0..64_usize, "[a-zA-Z0-9._:/@=\"'-]{0,40}"), 0..12),
    ) {
        let mut text = String::new();
        for (index, tail) in &parts {
            text.push_str(literals::LITERALS.get(*index).map_or("", |literal| literal.text));
            text.push_str(tail);
        }
        for hit in scan(text.as_bytes()) {
            prop_assert!(hit.start < hit.end && hit.end <= text.len());
            hit.masked(text.as_bytes());
        }
    }
}
