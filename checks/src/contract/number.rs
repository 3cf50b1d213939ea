//! Whole numbers as the floats that measurements are, and lengths of time as people read them.

/// A number of things; exact below 2^53, which no count of ours reaches.
#[allow(clippy::cast_precision_loss, reason = "a count of this size would be no news to the unit")]
pub const fn number(n: u64) -> f64 {
    n as f64
}

/// A number with a sign, such as seconds or an amount in minor units; exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "no amount or time of ours is that large")]
pub const fn whole(n: i64) -> f64 {
    n as f64
}

/// A length of time for people: `12 min`, `31 h`, `2 h 5 min`. It is finite and not negative.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, and a float is cut to the range"
)]
pub fn hours_and_minutes(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
