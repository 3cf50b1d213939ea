//! The clock of whoever sends, which may run faster than the world's.

use jiff::{SignedDuration, Timestamp};

/// When the sender's clock began, and how many times faster it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) from: Timestamp,
    pub(super) speed: f64,
}

impl Pace {
    /// What the sender's clock shows when the world's shows `at`.
    fn shown(self, at: Timestamp) -> Timestamp {
        let passed = at.duration_since(self.from).as_secs_f64() * self.speed;
        let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or_default();
        self.from.checked_add(passed).unwrap_or(at)
    }

    /// Hours, minutes and seconds.
    pub(super) fn clock(self, at: Timestamp) -> String {
        self.shown(at).strftime("%H:%M:%S").to_string()
    }

    /// With the day.
    pub(super) fn full(self, at: Timestamp) -> String {
        self.shown(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// What a reader has to know of it.
    pub(super) fn words(self) -> String {
        if self.speed > 1.0 {
            format!(
                "Times are in UTC by the sender's clock, which runs {} times faster than yours.",
                self.speed
            )
        } else {
            "Times are in UTC.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_the_world_is_an_hour_of_a_clock_sixty_times_as_fast() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let pace = Pace { from: at("2026-11-22T07:00:00Z"), speed: 60.0 };
        assert_eq!(pace.clock(at("2026-11-22T07:01:00Z")), "08:00:00");
        assert_eq!(pace.full(at("2026-11-22T07:24:00Z")), "2026-11-23 07:00:00 UTC");
        assert!(pace.words().contains("60 times faster than yours"));
        let plain = Pace { speed: 1.0, ..pace };
        assert_eq!(plain.clock(at("2026-11-22T07:01:00Z")), "07:01:00");
        assert!(!plain.words().contains("faster"));
    }
}
