//! The literals that the search looks for, and what is read at each of them.
//!
//! At most 64, each of three bytes or more that are rare in minified code: the search is as fast as
//! its literals are rare. Where a prefix begins with a common word, the literal is its tail.

use super::Match;
use super::kinds::{self, Kind};
use super::shape::{
    byte, is_alnum, is_base64url, is_hex, is_random, is_word, run_end, starts_word,
};
use super::{named, pem, token, url, vendors};

/// A literal and its verifier.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) text: &'static str,
    pub(super) verify: Verify,
}

/// How the surroundings of a literal are read.
#[derive(Debug)]
pub(super) enum Verify {
    /// A prefix, then a run of an alphabet of a length within bounds.
    Run(Run),
    /// A function of the bytes and the place of the literal.
    Call(fn(&[u8], usize) -> Option<Match>),
}

/// A prefix, then a run of an alphabet of a length within bounds.
#[derive(Debug)]
pub(super) struct Run {
    kind: &'static Kind,
    /// What of the prefix stands before the literal.
    before: &'static str,
    alphabet: fn(u8) -> bool,
    min: usize,
    max: usize,
}

impl Verify {
    /// The key at a literal, if there is one.
    pub(super) fn at(&self, bytes: &[u8], at: usize, literal: &str) -> Option<Match> {
        match self {
            Self::Call(verify) => verify(bytes, at),
            Self::Run(run) => run.at(bytes, at, literal),
        }
    }
}

impl Run {
    fn at(&self, bytes: &[u8], at: usize, literal: &str) -> Option<Match> {
        let body = at + literal.len();
        let start = at.checked_sub(self.before.len())?;
        if bytes.get(start..at)? != self.before.as_bytes() {
            return None;
        }
        let end = run_end(bytes, body, self.max + 1, self.alphabet);
        let fits = (self.min..=self.max).contains(&(end - body))
            && !byte(bytes, end).is_some_and(is_word)
            && starts_word(bytes, start)
            && is_random(bytes.get(body..end)?);
        fits.then(|| Match { kind: self.kind, start, end, lead: body - start })
    }
}

const fn run(
    text: &'static str,
    kind: &'static Kind,
    before: &'static str,
    alphabet: fn(u8) -> bool,
    min: usize,
    max: usize,
) -> Literal {
    Literal { text, verify: Verify::Run(Run { kind, before, alphabet, min, max }) }
}

const fn call(text: &'static str, verify: fn(&[u8], usize) -> Option<Match>) -> Literal {
    Literal { text, verify: Verify::Call(verify) }
}

/// The length of the longest literal.
pub(super) const LONGEST: usize = 12;

/// Every literal; none begins with another.
///
/// The vectorised search deals them out to sixteen groups in turn, and tells the members of a group
/// apart by the sets of their first three bytes. So the order matters for speed: each column of
/// sixteen holds literals whose first bytes are alike, which keeps the sets small. A new literal
/// goes to the end.
pub(super) const LITERALS: &[Literal] = &[
    call("//default:", url::with_password),
    call("STMARK", named::postmark),
    call("ghp_", vendors::github),
    run("GOCSPX-", kinds::GOOGLE_OAUTH_SECRET, "", is_base64url, 28, 28),
    run("k-ant-", kinds::ANTHROPIC_KEY, "s", is_base64url, 80, 200),
    call("ap1-", vendors::hubspot),
    call("AKIA", named::aws_access_key_id),
    run("plx-", kinds::PERPLEXITY_KEY, "p", is_alnum, 48, 56),
    call("eu1-", vendors::hubspot),
    call("gho_", vendors::github),
    call("SG.", vendors::sendgrid),
    call("ghs_", vendors::github),
    call("E KEY-----", pem::private_key),
    call(".eyJ", token::in_three_parts),
    call("k_live_", vendors::stripe),
    call("i/webhooks/", vendors::discord_webhook),
    // The next member of each group.
    call("H_TOKEN", named::twilio),
    call("T3BlbkFJ", vendors::openai),
    run("glpat-", kinds::GITLAB_TOKEN, "", is_base64url, 20, 300),
    call("T_ACCESS_KEY", named::aws_secret_access_key),
    run("k-or-v1-", kinds::OPENROUTER_KEY, "s", is_hex, 64, 64),
    run("op_v1_", kinds::DIGITALOCEAN_TOKEN, "d", is_hex, 64, 64),
    call("xapp-", vendors::slack),
    call("sb_secret_", vendors::supabase_secret),
    call("na1-", vendors::hubspot),
    call("godb", url::with_password),
    call("smtp", url::with_password),
    call("ghu_", vendors::github),
    run("ub_pat_", kinds::GITHUB_FINE_GRAINED, "gith", is_word, 82, 82),
    call("//:", url::with_password),
    call("k_test_", vendors::stripe),
    call("m/services/", vendors::slack_webhook),
    // The next member of each group.
    call("hToken", named::twilio),
    call("stgres", url::with_password),
    call("sbp_", vendors::supabase_access_token),
    call("tAccessKey", named::aws_secret_access_key),
    call("k-proj-", vendors::openai_project),
    call("re_", vendors::resend),
    run("xkeysib-", kinds::BREVO_KEY, "", is_base64url, 81, 81),
    call("xox", vendors::slack),
    call("na2-", vendors::hubspot),
    run("gsk_", kinds::GROQ_KEY, "", is_alnum, 52, 52),
    call("sntry", vendors::sentry),
    call("whsec_", vendors::webhook_secret),
    call("udinary:", url::with_password),
    call("ysql:", url::with_password),
    run("npm_", kinds::NPM_TOKEN, "", is_alnum, 36, 36),
    call("mqp", url::with_password),
    // The next member of each group.
    call("h_token", named::twilio),
    call("stmark", named::postmark),
    run("shpat_", kinds::SHOPIFY_TOKEN, "", is_hex, 32, 32),
    call("t_access_key", named::aws_secret_access_key),
    call("is://", url::with_password),
    call("ghr_", vendors::github),
    call("ss://", url::with_password),
];
