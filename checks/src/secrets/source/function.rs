//! Edge Functions that act for a signed-in user with the key of the whole database.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

static SERVICE_ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"SUPABASE_SERVICE_ROLE_KEY|SUPABASE_SECRET_KEY|SERVICE_ROLE_KEY").ok()
});
static CLIENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"createClient\s*[(<]").ok());
static READS_USER_TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    RegexBuilder::new(r#"\.get\(\s*["'`]authorization["'`]\s*\)"#)
        .case_insensitive(true)
        .build()
        .ok()
});
/// What checks who calls: the user of the token, the signature of a webhook, a shared secret.
static CHECKS_CALLER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"auth\s*\.\s*getUser|auth\s*\.\s*getClaims|jwtVerify|verifyJWT|jose|constructEvent|timingSafeEqual|CRON_SECRET|WEBHOOK_SECRET|HOOK_SECRET",
    )
    .ok()
});

/// Where the service role is used, in lines from 1, when the function reads the caller's token and
/// never asks whose it is.
pub(super) fn unchecked_service_role(bytes: &[u8]) -> Option<usize> {
    let has = |regex: &Option<Regex>| regex.as_ref().is_some_and(|regex| regex.is_match(bytes));
    let at = SERVICE_ROLE.as_ref()?.find(bytes)?.start();
    let unchecked = has(&CLIENT) && has(&READS_USER_TOKEN) && !has(&CHECKS_CALLER);
    unchecked.then(|| line_of(bytes, at))
}

/// The line in which a byte stands, from 1.
pub(super) fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_function_that_takes_a_token_and_checks_nobody_is_named() {
        let client = "const db = createClient(url, Deno.env.get('SUPABASE_SERVICE_ROLE_KEY'))\n";
        let reads = "const token = req.headers.get('Authorization')\n";
        let both = format!("{reads}{client}");
        assert_eq!(unchecked_service_role(both.as_bytes()), Some(2));
        assert_eq!(unchecked_service_role(client.as_bytes()), None);
        let checked = format!("{both}const user = await db.auth.getUser(token)\n");
        assert_eq!(unchecked_service_role(checked.as_bytes()), None);
        let webhook = format!("{both}stripe.webhooks.constructEvent(body, signature, secret)\n");
        assert_eq!(unchecked_service_role(webhook.as_bytes()), None);
    }
}
