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
/// How the name in the store of a session begins that was ended before its time: its id follows, and the value says
/// until when its cookie would hold.
const ENDED: &str = "web-session-ended.";
/// The most ended sessions that are remembered; those whose cookies hold shortest are forgotten first.
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

/// Where the store keeps that a session was ended.
fn ended(session: &Session) -> String {
    format!("{ENDED}{}", session.id)
}

/// Whether a session was ended by its owner.
pub(super) async fn has_ended(store: &dyn Store, session: &Session) -> Result<bool, Fault> {
    Ok(store.get(&ended(session)).await?.is_some())
}

/// Ends a session for good. Each has a name of its own in the store, so that none is lost of those that are ended at
/// once, by several agents too.
pub(super) async fn end(store: &dyn Store, session: &Session, now: Timestamp) -> Result<(), Fault> {
    let name = ended(session);
    store.put(&name, &session.ends.as_second().to_string()).await?;
    sweep(store, &name, now, MOST_ENDED).await
}

/// Forgets ended sessions whose cookies no longer hold, and what is beyond `most`; `own` goes last.
async fn sweep(store: &dyn Store, own: &str, now: Timestamp, most: usize) -> Result<(), Fault> {
    let mut lasting = Vec::new();
    for (name, ends) in store.listed(ENDED).await? {
        match ends.parse().ok().filter(|ends: &i64| *ends > now.as_second()) {
            Some(ends) => lasting.push((name == own, ends, name)),
            None => store.forget(&name).await?,
        }
    }
    lasting.sort_unstable();
    let beyond = lasting.len().saturating_sub(most);
    for (_, _, name) in lasting.into_iter().take(beyond) {
        store.forget(&name).await?;
    }
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

    fn session(id: &str, ends: i64) -> Session {
        Session { id: id.to_owned(), ends: Timestamp::from_second(ends).unwrap() }
    }

    #[tokio::test]
    async fn sessions_that_two_agents_end_at_once_are_all_over() {
        let folder = tempfile::tempdir().unwrap();
        let one = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        let two = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let all: Vec<Session> =
            (0..24).map(|number| session(&format!("s{number}"), 1_800_000_060)).collect();
        let at_once = all.iter().zip([&one, &two].into_iter().cycle());
        let at_once = at_once.map(|(session, agent)| end(&**agent, session, now));
        for ended in futures_util::future::join_all(at_once).await {
            ended.unwrap();
        }
        for session in &all {
            assert!(has_ended(&*one, session).await.unwrap(), "{session:?}");
        }
        assert!(!has_ended(&*one, &session("other", 1_800_000_060)).await.unwrap());
        one.close().await;
        two.close().await;
    }

    #[tokio::test]
    async fn ended_sessions_are_remembered_while_their_cookies_hold_and_not_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open("sqlite:s.db", folder.path()).await.unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        for (id, ends) in [("a", 100), ("b", 300), ("c", 200), ("d", 400)] {
            end(&*store, &session(id, ends), at(50)).await.unwrap();
        }
        let left = async || {
            let listed = store.listed(ENDED).await.unwrap().into_iter();
            listed.map(|(name, _)| name.replace(ENDED, "")).collect::<Vec<_>>()
        };
        assert_eq!(left().await, ["a", "b", "c", "d"]);
        end(&*store, &session("e", 150), at(100)).await.unwrap();
        assert_eq!(left().await, ["b", "c", "d", "e"], "the cookie of a holds no longer");
        // Beyond what is remembered the one just ended stays, and of the others those that hold longest.
        sweep(&*store, &ended(&session("e", 150)), at(100), 3).await.unwrap();
        assert_eq!(left().await, ["b", "d", "e"]);
        store.close().await;
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("a", "a") && same("", "") && !same("a", "ab") && !same("a", ""));
    }
}
