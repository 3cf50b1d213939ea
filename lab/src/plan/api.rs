//! What goes wrong with an outside system, as data.

use serde::Deserialize;

/// `[api.NAME]` of a world.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ApiPlan {
    /// What goes wrong, the first that matches.
    #[serde(default)]
    pub fault: Vec<ApiFault>,
    /// The state of the system, in the shape of its fake.
    #[serde(flatten)]
    pub table: toml::Table,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiFault {
    /// Only paths that begin so.
    pub path: String,
    /// Not before this matching request, counting from 1.
    pub from: u64,
    /// Not after this matching request; without an end where it is 0.
    pub to: u64,
    /// Answers this status instead; with its own answer where it is 0.
    pub status: u16,
    /// With these headers, lines `name: value`.
    pub headers: Vec<String>,
    /// With this body.
    pub body: String,
    /// Its own answer is cut off after this many bytes; whole where it is 0.
    pub cut: usize,
    /// Answers what it answered to the first matching request again, so that a page repeats.
    pub repeats: bool,
    /// Its clock is ahead by so many seconds.
    pub clock: i64,
    /// In its own answer, this text is replaced by the next.
    pub find: String,
    /// What is put there.
    pub put: String,
    /// Names, addresses and phone numbers stand beside everything in its own answers.
    pub people: bool,
}
