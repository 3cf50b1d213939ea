//! Whole numbers as the floats that measurements are.

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
