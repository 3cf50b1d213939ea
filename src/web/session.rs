//! Who is signed in: a cookie that the agent signed, and the tokens of its forms.

use aws_lc_rs::{constant_time, digest, hmac, rand};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::Facts;
use super::fault::Fault;
use crate::config::Secret;
use crate::store::Store;

/// How long a browser is known that has signed in.
const KNOWN: SignedDuration = SignedDuration::from_hours(24 * 180);
/// How long a session lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// The name in the store of the key that signs sessions.
const KEY: &str = "web-session-key";
/// The name in the store of the list of sessions that were ended before their time.
const ENDED: &str = "web-sessions-ended";
/// The most ended sessions that are remembered; the oldest are forgotten first.
const MOST_ENDED: usize = 500;

/// The key that signs sessions and form tokens. Every agent of a store has the same one.
pub(super) struct Key(hmac::Key);

/// A session: 32 random bytes, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// The random part, which also binds the form tokens.
    pub(super) id: String,
    ends: Timestamp,
}

/// 32 random bytes in letters that a cookie takes.
fn random() -> Option<String> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

impl Key {
    /// The key that the store keeps; made at the first call.
    pub(super) async fn of(store: &dyn Store) -> Result<Self, Fault> {
        let kept = if let Some(kept) = store.get(KEY).await? {
            kept
        } else {
            let made =
                random().ok_or_else(|| Fault::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
            store.put_once(KEY, &made).await?
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, kept.as_bytes())))
    }

    /// A new session for whoever knows the password, and the text of its cookie.
    pub(super) fn begin(&self, password: &Secret, now: Timestamp) -> Option<(Session, String)> {
        self.make("session", LASTS, password, now)
    }

    /// What a browser shows later to say that it has signed in with this password before. It opens
    /// nothing; it has tries of its own.
    pub(super) fn introduce(&self, password: &Secret, now: Timestamp) -> Option<String> {
        self.make("known", KNOWN, password, now).map(|(_, cookie)| cookie)
    }

    fn make(
        &self,
        what: &str,
        lasts: SignedDuration,
        password: &Secret,
        now: Timestamp,
    ) -> Option<(Session, String)> {
        let session = Session { id: random()?, ends: now.checked_add(lasts).ok()? };
        let cookie = format!(
            "{}.{}.{}",
            session.id,
            session.ends.as_second(),
            URL_SAFE_NO_PAD.encode(self.sign(what, &session, password))
        );
        Some((session, cookie))
    }

    /// The session of a cookie that this key signed for the present password and that has not ended.
    pub(super) fn read(&self, cookie: &str, password: &Secret, now: Timestamp) -> Option<Session> {
        self.check("session", cookie, password, now)
    }

    /// The browser of a cookie that [`Self::introduce`] made: its random part.
    pub(super) fn known(&self, cookie: &str, password: &Secret, now: Timestamp) -> Option<String> {
        self.check("known", cookie, password, now).map(|known| known.id)
    }

    fn check(
        &self,
        what: &str,
        cookie: &str,
        password: &Secret,
        now: Timestamp,
    ) -> Option<Session> {
        let mut parts = cookie.split('.');
        let (id, ends, tag) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || id.len() != 43 {
            return None;
        }
        let session =
            Session { id: id.to_owned(), ends: Timestamp::from_second(ends.parse().ok()?).ok()? };
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let wanted = self.sign(what, &session, password);
        constant_time::verify_slices_are_equal(&tag, &wanted).ok()?;
        (session.ends > now).then_some(session)
    }

    /// A change of the password ends every session, because it is part of what is signed.
    fn sign(&self, what: &str, session: &Session, password: &Secret) -> Vec<u8> {
        let password = digest::digest(&digest::SHA256, password.expose().as_bytes());
        let mut context = hmac::Context::with_key(&self.0);
        for part in [what.as_bytes(), session.id.as_bytes()] {
            context.update(part);
            context.update(&[0]);
        }
        context.update(&session.ends.as_second().to_be_bytes());
        context.update(password.as_ref());
        context.sign().as_ref().to_vec()
    }

    /// The token that every form of a session holds.
    pub(super) fn form_token(&self, session: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"form\0");
        context.update(session.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign().as_ref())
    }
}

/// Whether two texts are the same; says nothing by its time, not even of their lengths.
pub(super) fn same(one: &str, two: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    constant_time::verify_slices_are_equal(hash(one).as_ref(), hash(two).as_ref()).is_ok()
}

/// The name of the cookie. The prefix makes browsers refuse one that another host has planted.
pub(super) fn cookie_name(facts: &Facts) -> &'static str {
    if facts.is_https() { "__Host-launchready_session" } else { "launchready_session" }
}

/// The line that sets the cookie; an empty value takes it away.
pub(super) fn set_cookie(facts: &Facts, value: &str) -> String {
    let secure = if facts.is_https() { "; Secure" } else { "" };
    let age = if value.is_empty() { 0 } else { LASTS.as_secs() };
    let name = cookie_name(facts);
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The name of the cookie by which a browser is known.
fn known_name(facts: &Facts) -> &'static str {
    if facts.is_https() { "__Host-launchready_known" } else { "launchready_known" }
}

/// The line that sets the cookie by which a browser is known.
pub(super) fn set_known(facts: &Facts, value: &str) -> String {
    let secure = if facts.is_https() { "; Secure" } else { "" };
    let (name, age) = (known_name(facts), KNOWN.as_secs());
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The session cookie of a request.
pub(super) fn cookie<'h>(facts: &Facts, headers: &'h HeaderMap) -> Option<&'h str> {
    named(cookie_name(facts), headers)
}

/// The cookie of a request by which its browser is known.
pub(super) fn known_cookie<'h>(facts: &Facts, headers: &'h HeaderMap) -> Option<&'h str> {
    named(known_name(facts), headers)
}

fn named<'h>(name: &str, headers: &'h HeaderMap) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(other, _)| other.trim() == name).map(|(_, value)| value.trim())
}

/// Whether a session was ended by its owner.
pub(super) async fn has_ended(store: &dyn Store, session: &Session) -> Result<bool, Fault> {
    let ended = store.get(ENDED).await?.unwrap_or_default();
    Ok(ended.lines().filter_map(|line| line.split_once(' ')).any(|(_, id)| id == session.id))
}

/// Ends a session for good.
pub(super) async fn end(store: &dyn Store, session: &Session, now: Timestamp) -> Result<(), Fault> {
    let before = store.get(ENDED).await?.unwrap_or_default();
    let lasts = |line: &&str| {
        let ends = line.split_once(' ').and_then(|(ends, _)| ends.parse().ok());
        ends.is_some_and(|ends: i64| ends > now.as_second())
    };
    let mut lines: Vec<&str> = before.lines().filter(lasts).collect();
    let line = format!("{} {}", session.ends.as_second(), session.id);
    lines.push(&line);
    let from = lines.len().saturating_sub(MOST_ENDED);
    let kept = lines.split_off(from);
    store.put(ENDED, &kept.join("\n")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    #[test]
    fn a_session_holds_for_twelve_hours_one_key_and_one_password() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = |hours| now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        let (one, password) = (key("one"), Secret::new("open sesame"));
        let (session, cookie) = one.begin(&password, now).unwrap();
        assert_eq!(one.read(&cookie, &password, later(11)), Some(session.clone()));
        assert_eq!(one.read(&cookie, &password, later(12)), None);
        assert_eq!(key("two").read(&cookie, &password, now), None);
        assert_eq!(one.read(&cookie, &Secret::new("other"), now), None);
        let (_, other) = one.begin(&password, now).unwrap();
        assert_ne!(cookie, other);
        let longer = cookie.replace(".18000", ".19000");
        for forged in ["", "a.b.c", "..", longer.as_str(), &format!("{cookie}.x")] {
            assert_eq!(one.read(forged, &password, now), None, "{forged}");
        }
        let known = one.introduce(&password, now).unwrap();
        assert!(one.known(&known, &password, later(24 * 179)).is_some());
        assert_eq!(one.known(&known, &password, later(24 * 180)), None);
        assert_eq!(one.known(&known, &Secret::new("other"), now), None);
        assert_eq!(one.read(&known, &password, now), None, "it opens nothing");
        assert_eq!(one.known(&cookie, &password, now), None);
        assert_ne!(one.form_token(&session.id), one.form_token("local"));
        assert_ne!(one.form_token(&session.id), key("two").form_token(&session.id));
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("a", "a") && same("", "") && !same("a", "ab") && !same("a", ""));
    }
}
