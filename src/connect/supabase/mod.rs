//! Supabase: its management API, the logs that it keeps, and a project as browsers see it.

mod answers;
mod logs;
mod management;
mod rest;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use launchready_checks::probe::{Missing, Slot, Supabase, SupabasePublic};

use self::management::Management;
use self::rest::Rest;
use super::Reach;
use crate::config::{AccountSettings, Secret};

/// Where the management API is.
const API: &str = "https://api.supabase.com";

/// The management API, where a token is configured.
pub(super) fn management(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Supabase>> {
    let table = settings.tables.supabase.as_ref()?;
    let token = match settings.read(table.token.as_ref()?) {
        Ok(token) => token,
        Err(missing) => return Some(missing.into()),
    };
    let base = table.api.as_deref().unwrap_or(API);
    Some(match Management::new(base, table, token, reach) {
        Ok(management) => Slot::ready(Arc::new(management)),
        Err(error) => Slot::missing(error.to_string(), "write the address of the API in full"),
    })
}

/// The project as browsers see it, where a public key is configured.
pub(super) fn public(
    settings: &AccountSettings,
    reach: &Reach,
) -> Option<Slot<dyn SupabasePublic>> {
    let table = settings.tables.supabase.as_ref()?;
    let key = match settings.read(table.public_key.as_ref()?) {
        Ok(key) => key,
        Err(missing) => return Some(missing.into()),
    };
    if let Some(missing) = not_public(&key) {
        return Some(missing.into());
    }
    let own = format!("https://{}.supabase.co", table.reference);
    let base = table.url.as_deref().unwrap_or(&own);
    Some(match Rest::new(base, key, reach) {
        Ok(rest) => Slot::ready(Arc::new(rest)),
        Err(error) => Slot::missing(error.to_string(), "write the address of the project in full"),
    })
}

/// With a key that may do everything, every table would look open.
fn not_public(key: &Secret) -> Option<Missing> {
    let text = key.expose();
    let role = text.split('.').nth(1).and_then(|claims| {
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        claims.get("role").and_then(|role| role.as_str()).map(str::to_owned)
    });
    let is_secret = text.starts_with("sb_secret_")
        || text.starts_with("sbp_")
        || role.is_some_and(|role| role != "anon");
    is_secret.then(|| Missing {
        reason: "supabase.public_key is a secret key, and not the one that browsers are given".to_owned(),
        unlock: "put the publishable key (sb_publishable_…) or the anon key there, from Settings → API Keys"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_of_browsers_is_taken_as_public() {
        let jwt = |role: &str| {
            let claims = format!("{{\"iss\":\"supabase\",\"role\":\"{role}\"}}");
            Secret::new(format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
        };
        for public in [Secret::new("sb_publishable_abc"), jwt("anon"), Secret::new("a.b.c")] {
            assert!(not_public(&public).is_none());
        }
        for secret in [Secret::new("sb_secret_abc"), jwt("service_role"), Secret::new("sbp_fc12")] {
            let missing = not_public(&secret).unwrap();
            assert!(!missing.reason.contains(secret.expose()), "{missing}");
        }
    }
}
