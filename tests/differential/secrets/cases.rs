//! Generated files, each with one key or one decoy. Every value is drawn at random and nobody's.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::process::run;
use crate::seeds::Random;

/// Whether a file holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Key,
    /// It does, in a way that the handbook says is not recognised.
    Hidden,
    Decoy,
}

/// One file.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) family: &'static str,
    /// How launchready calls the key.
    pub(super) kind: &'static str,
    pub(super) truth: Truth,
    pub(super) file: String,
    pub(super) content: Vec<u8>,
}

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Base 58 leaves out what is easily mistaken.
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// How a key comes to stand in a file: around it, and the end of the file's name.
const SURROUNDINGS: [(&str, &str, &str); 8] = [
    ("const @={key:\"", "\"};", "js"),
    ("@=`", "`,e=>e.id", "mjs"),
    ("export @='", "'\n", "ts"),
    ("@=", "\n", "env"),
    ("{\"@\": \"", "\", \"more\": 1}\n", "json"),
    ("e.exports='{\\\"@\\\":\\\"", "\\\"}'", "cjs"),
    ("@: ", "\n", "yml"),
    ("var a=\"keys:\\n", "\";", "jsx"),
];

type Make = fn(&mut Random) -> String;

/// A kind of key: family, kind of launchready, the name beside it, and how one is drawn.
const KEYS: [(&str, &str, &str, Make); 33] = [
    ("stripe secret", "stripe_sk_live", "stripeKey", |r| {
        format!("sk_live_51{}", r.text(ALNUM, 97))
    }),
    ("stripe secret of old", "stripe_sk_live", "stripeKey", |r| {
        format!("sk_live_{}", r.text(ALNUM, 24))
    }),
    ("stripe restricted", "stripe_rk_live", "stripeKey", |r| {
        format!("rk_live_51{}", r.text(ALNUM, 97))
    }),
    ("webhook secret", "stripe_whsec", "endpointSecret", |r| {
        format!("whsec_{}", r.text(ALNUM, 32))
    }),
    ("supabase secret", "supabase_sb_secret", "supabaseKey", |r| {
        format!("sb_secret_{}_{}", r.text(URL, 22), r.text(ALNUM, 8))
    }),
    ("supabase access token", "supabase_access_token", "token", |r| {
        format!("sbp_{}", r.text(HEX, 40))
    }),
    ("supabase service role", "supabase_service_role_jwt", "serviceKey", |r| {
        jwt(r, "service_role")
    }),
    ("aws key id", "aws_access_key_id", "accessKeyId", |r| format!("AKIA{}", r.text(BASE32, 16))),
    ("aws secret", "aws_secret_access_key", "secretAccessKey", |r| r.text(BASE64, 40)),
    ("github personal", "github_token", "token", |r| github(r, "ghp_")),
    ("github app", "github_token", "token", |r| github(r, "ghs_")),
    ("github user", "github_token", "token", |r| github(r, "ghu_")),
    ("github authorization", "github_token", "token", |r| github(r, "gho_")),
    ("github refresh", "github_token", "token", |r| github(r, "ghr_")),
    ("github fine-grained", "github_fine_grained_token", "token", |r| {
        format!("github_pat_{}_{}", r.text(ALNUM, 22), r.text(ALNUM, 59))
    }),
    ("gitlab", "gitlab_token", "token", |r| format!("glpat-{}", r.text(ALNUM, 20))),
    ("npm", "npm_token", "token", |r| format!("npm_{}", r.text(ALNUM, 36))),
    ("slack bot", "slack_token", "token", |r| {
        format!("xoxb-{}-{}-{}", r.text(DIGITS, 12), r.text(DIGITS, 13), r.text(ALNUM, 24))
    }),
    ("slack user", "slack_token", "token", |r| {
        format!(
            "xoxp-{}-{}-{}-{}",
            r.text(DIGITS, 12),
            r.text(DIGITS, 12),
            r.text(DIGITS, 13),
            r.text(HEX, 32)
        )
    }),
    ("slack webhook", "slack_webhook", "hook", |r| {
        format!(
            "https://hooks.slack.com/services/T0{}/B0{}/{}",
            r.text(BASE32, 9),
            r.text(BASE32, 9),
            r.text(ALNUM, 24)
        )
    }),
    ("openai", "openai_key", "apiKey", |r| {
        format!("sk-proj-{}T3BlbkFJ{}", r.text(URL, 74), r.text(URL, 74))
    }),
    ("openai of old", "openai_key", "apiKey", |r| {
        format!("sk-{}T3BlbkFJ{}", r.text(ALNUM, 20), r.text(ALNUM, 20))
    }),
    ("anthropic", "anthropic_key", "apiKey", |r| format!("sk-ant-api03-{}AA", r.text(URL, 93))),
    ("openrouter", "openrouter_key", "apiKey", |r| format!("sk-or-v1-{}", r.text(HEX, 64))),
    ("groq", "groq_key", "apiKey", |r| format!("gsk_{}", r.text(ALNUM, 52))),
    ("perplexity", "perplexity_key", "apiKey", |r| format!("pplx-{}", r.text(ALNUM, 48))),
    ("resend", "resend_key", "apiKey", |r| {
        format!("re_{}_{}", r.text(BASE58, 8), r.text(BASE58, 24))
    }),
    ("sendgrid", "sendgrid_key", "apiKey", |r| {
        format!("SG.{}.{}", r.text(URL, 22), r.text(URL, 43))
    }),
    ("brevo", "brevo_key", "apiKey", |r| {
        format!("xkeysib-{}-{}", r.text(HEX, 64), r.text(ALNUM, 16))
    }),
    ("postmark", "postmark_token", "postmarkToken", uuid),
    ("hubspot", "hubspot_token", "hubspotToken", |r| format!("pat-na1-{}", uuid(r))),
    ("digitalocean", "digitalocean_token", "token", |r| format!("dop_v1_{}", r.text(HEX, 64))),
    ("shopify", "shopify_token", "token", |r| format!("shpat_{}", r.text(HEX, 32))),
];

/// What only looks like a key.
const DECOYS: [(&str, &str, Make); 22] = [
    ("decoy: public key of stripe", "stripeKey", |r| format!("pk_live_51{}", r.text(ALNUM, 97))),
    ("decoy: public key of supabase", "supabaseKey", |r| {
        format!("sb_publishable_{}_{}", r.text(URL, 22), r.text(ALNUM, 8))
    }),
    ("decoy: anon role of supabase", "anonKey", |r| jwt(r, "anon")),
    ("decoy: session of somebody", "accessToken", |r| jwt(r, "authenticated")),
    ("decoy: browser key of google", "apiKey", |r| format!("AIza{}", r.text(URL, 35))),
    ("decoy: placeholder of stripe", "stripeKey", |r| {
        format!(
            "sk_live_{}",
            r.pick(&[
                "xxxxxxxxxxxxxxxxxxxxxxxx",
                "your_secret_key_goes_here",
                "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
            ])
        )
    }),
    ("decoy: stars", "stripeKey", |r| format!("sk_live_{}", "*".repeat(20 + r.below(10)))),
    ("decoy: identifier", "name", |r| {
        format!("task_live_{}", r.text("abcdefghijklmnopqrstuvwxyz", 26))
    }),
    ("decoy: documentation key of aws", "accessKeyId", |_| "AKIAIOSFODNN7EXAMPLE".to_owned()),
    ("decoy: documentation secret of aws", "secretAccessKey", |_| {
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()
    }),
    ("decoy: digest under a secret's name", "secretAccessKey", |r| r.text(HEX, 40)),
    ("decoy: github token with a wrong checksum", "token", |r| {
        format!("ghp_{}000000", r.text(ALNUM, 30))
    }),
    ("decoy: variable", "stripeKey", |_| "${STRIPE_SECRET_KEY}".to_owned()),
    ("decoy: name of a variable", "key", |_| "process.env.SUPABASE_SERVICE_ROLE_KEY".to_owned()),
    ("decoy: database on this machine", "databaseUrl", |r| {
        format!("postgres://app:{}@localhost:5432/app", r.text(ALNUM, 12))
    }),
    ("decoy: database of an example", "databaseUrl", |r| {
        format!("postgres://user:password@{}.example.com/app", r.text("abc", 4))
    }),
    ("decoy: integrity of a script", "integrity", |r| format!("sha384-{}", r.text(BASE64, 64))),
    ("decoy: uuid", "orderId", uuid),
    ("decoy: commit", "commit", |r| r.text(HEX, 40)),
    ("decoy: base64 around a prefix", "font", |r| {
        format!("{}AKIA{}{}", r.text(BASE64, 60), r.text(BASE32, 16), r.text(BASE64, 60))
    }),
    ("decoy: public token of mapbox", "mapboxToken", |r| {
        format!(
            "pk.{}.{}",
            URL_SAFE_NO_PAD.encode(format!(
                "{{\"u\":\"{}\",\"a\":\"{}\"}}",
                r.text("abcdef", 8),
                r.text(HEX, 25)
            )),
            r.text(URL, 22)
        )
    }),
    ("decoy: placeholder of openai", "apiKey", |_| "sk-proj-your-api-key-here".to_owned()),
];

fn uuid(random: &mut Random) -> String {
    let parts = [8, 4, 4, 4, 12].map(|length| random.text(HEX, length));
    parts.join("-")
}

fn jwt(random: &mut Random, role: &str) -> String {
    let reference = random.text("abcdefghijklmnopqrstuvwxyz", 20);
    let payload = format!(
        "{{\"iss\":\"supabase\",\"ref\":\"{reference}\",\"role\":\"{role}\",\"iat\":1700000000,\"exp\":2015360000}}"
    );
    let [head, body] =
        ["{\"alg\":\"HS256\",\"typ\":\"JWT\"}", &payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{head}.{body}.{}", random.text(URL, 43))
}

/// A token of GitHub ends in the CRC-32 of what is before it, in base 62.
fn github(random: &mut Random, prefix: &str) -> String {
    const ORDER: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let body = random.text(ALNUM, 30);
    let mut number = u64::from(flate2::Crc::new().sum_of(body.as_bytes()));
    let mut checksum = Vec::new();
    for _ in 0..6 {
        checksum.insert(0, ORDER[usize::try_from(number % 62).unwrap()]);
        number /= 62;
    }
    format!("{prefix}{body}{}", String::from_utf8(checksum).unwrap())
}

trait Sum {
    fn sum_of(self, bytes: &[u8]) -> u32;
}

impl Sum for flate2::Crc {
    fn sum_of(mut self, bytes: &[u8]) -> u32 {
        self.update(bytes);
        self.sum()
    }
}

pub(super) fn generate() -> Vec<Case> {
    let random = &mut Random::new(0x005e_c2e7);
    let mut cases = Vec::new();
    for (family, kind, name, make) in KEYS {
        // What a rule needs beside the value, it is given: the names differ from vendor to vendor.
        for (before, after, end) in SURROUNDINGS {
            // Some keys are known by the name right before them alone.
            let is_named = before.contains('@') && !before.contains("key:");
            if !is_named && ["aws_secret_access_key", "postmark_token"].contains(&kind) {
                continue;
            }
            let value = make(random);
            let text = format!("{}{value}{after}", before.replace('@', name));
            push(&mut cases, family, kind, Truth::Key, end, text.into_bytes());
        }
    }
    for (family, name, make) in DECOYS {
        for (before, after, end) in SURROUNDINGS {
            let text = format!("{}{}{after}", before.replace('@', name), make(random));
            push(&mut cases, family, "", Truth::Decoy, end, text.into_bytes());
        }
    }
    addresses(&mut cases, random);
    blocks(&mut cases);
    encodings(&mut cases, random);
    cases
}

fn push(
    cases: &mut Vec<Case>,
    family: &'static str,
    kind: &'static str,
    truth: Truth,
    end: &str,
    content: Vec<u8>,
) {
    let nth = cases.len();
    let file = format!("{}-{nth}.{end}", family.replace([' ', ':'], "-"));
    cases.push(Case { family, kind, truth, file, content });
}

/// Addresses of databases and services with their password.
fn addresses(cases: &mut Vec<Case>, random: &mut Random) {
    for scheme in ["postgres", "postgresql", "mysql", "mongodb+srv", "mongodb", "rediss", "redis"] {
        for (family, password) in [
            ("address of a database", random.text(ALNUM, 16)),
            (
                "address with an escaped password",
                format!("{}%40{}", random.text(ALNUM, 8), random.text(ALNUM, 8)),
            ),
            (
                "address with an at sign in the password",
                format!("{}@{}", random.text(ALNUM, 8), random.text(ALNUM, 8)),
            ),
        ] {
            let text = format!(
                "DATABASE_URL={scheme}://app:{password}@db-{}.harbor-shop.com/app\n",
                random.below(90) + 10
            );
            push(cases, family, "database_url", Truth::Key, "env", text.into_bytes());
        }
    }
    for scheme in ["amqps", "smtps", "smtp", "amqp"] {
        let text = format!("URL={scheme}://app:{}@mq.harbor-shop.com\n", random.text(ALNUM, 16));
        push(cases, "address of a service", "service_url", Truth::Key, "env", text.into_bytes());
    }
}

/// Private keys from openssl, in a file of their own, in JSON and in an environment variable.
fn blocks(cases: &mut Vec<Case>) {
    let here = std::env::temp_dir();
    for (family, arguments) in [
        ("private key", &["genpkey", "-algorithm", "RSA"][..]),
        (
            "private key on a curve",
            &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ),
        ("private key ed25519", &["genpkey", "-algorithm", "ED25519"]),
    ] {
        let pem = String::from_utf8(run("openssl", arguments, &here)).unwrap();
        let line = pem.replace('\n', "\\n");
        push(cases, family, "private_key", Truth::Key, "pem", pem.clone().into_bytes());
        push(
            cases,
            family,
            "private_key",
            Truth::Key,
            "json",
            format!("{{\"key\": \"{line}\"}}").into_bytes(),
        );
        push(
            cases,
            family,
            "private_key",
            Truth::Key,
            "env",
            format!("KEY=\"{line}\"\n").into_bytes(),
        );
    }
    let public = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    push(cases, "decoy: public key", "", Truth::Decoy, "pem", public.as_bytes().to_vec());
    let code = "const pem=\"-----BEGIN PRIVATE KEY-----\\n\"+chunk(body,64)+\"\\n-----END PRIVATE KEY-----\";";
    push(cases, "decoy: code for keys", "", Truth::Decoy, "js", code.as_bytes().to_vec());
    let empty = "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n";
    push(cases, "decoy: empty private key", "", Truth::Decoy, "pem", empty.as_bytes().to_vec());
}

/// A key that is written in another way than plainly.
fn encodings(cases: &mut Vec<Case>, random: &mut Random) {
    for _ in 0..3 {
        let key = format!("sk_live_51{}", random.text(ALNUM, 97));
        let sides = [
            ("after an escape", format!("a=\"\\u0022{key}\\u0022\"")),
            ("after a percent sign", format!("u=\"https://harbor-shop.com/?k=%22{key}%22\"")),
            ("in a header", format!("h={{Authorization:\"Bearer {key}\"}}")),
            ("in a path", format!("u=\"https://harbor-shop.com/{key}/charge\"")),
            ("after a colon", format!("curl https://api.harbor-shop.com -u {key}:")),
            ("in a comment", format!("/* {key} */")),
            ("before a comma", format!("keys=[{key},1]")),
        ];
        for (family, text) in sides {
            push(cases, family, "stripe_sk_live", Truth::Key, "js", text.into_bytes());
        }
        let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
        push(cases, "in two bytes a letter", "stripe_sk_live", Truth::Hidden, "txt", wide);
        let text = format!("a=atob(\"{}\")", STANDARD.encode(format!("{{\"key\":\"{key}\"}}")));
        push(cases, "in base64", "stripe_sk_live", Truth::Hidden, "js", text.into_bytes());
    }
}
