//! The words that every form of a message shares: times, spans of time, severities, what is at stake.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{Severity, Urgency};

use crate::incident::{ChangeKind, Incident};

/// The zone in which a message writes times.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone of that name; UTC where this machine does not know it.
    pub(crate) fn of(name: &str) -> Self {
        match TimeZone::get(name) {
            Ok(zone) => Self { name: name.to_owned(), zone },
            Err(_) => Self { name: "UTC".to_owned(), zone: TimeZone::UTC },
        }
    }

    /// `22 Nov 2026, 08:15 (Europe/Berlin)`.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        format!("{} ({})", self.bare(at), self.name)
    }

    /// `22 Nov 2026`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%-d %b %Y").to_string()
    }

    /// `22 Nov 2026, 08:15 to 08:27 (Europe/Berlin)`.
    pub(crate) fn between(&self, from: Timestamp, to: Timestamp) -> String {
        let end = if self.day(from) == self.day(to) { self.clock(to) } else { self.bare(to) };
        format!("{} to {end} ({})", self.bare(from), self.name)
    }

    /// `08:15`, or with the day where it is another one than `beside`.
    pub(super) fn short(&self, at: Timestamp, beside: Timestamp) -> String {
        if self.day(at) == self.day(beside) { self.clock(at) } else { self.bare(at) }
    }

    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M").to_string()
    }

    fn bare(&self, at: Timestamp) -> String {
        format!("{}, {}", self.day(at), self.clock(at))
    }
}

/// `12 min`, `3 h 5 min`, `2 days 4 h`; a span that ends before it begins is read as none.
pub(crate) fn lasting(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    let with = |big: String, small: i64, unit: &str| {
        if small == 0 { big } else { format!("{big} {small} {unit}") }
    };
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => with(format!("{hours} h"), minutes % 60, "min"),
        _ => with(counted(days, "day"), hours % 24, "h"),
    }
}

/// `1 problem`, `2 problems`.
pub(crate) fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// The severity as a message names it.
pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::Warning => "Warning",
        Severity::Info => "Note",
    }
}

/// What happened, as the few words above an incident.
pub(super) fn badge(kind: ChangeKind, incident: &Incident, at: Timestamp) -> String {
    let open = || lasting(at.duration_since(incident.opened_at.unwrap_or(incident.first_seen)));
    match kind {
        ChangeKind::Opened => severity(incident.severity).to_owned(),
        ChangeKind::Worsened => "Worse: critical".to_owned(),
        ChangeKind::Unmuted => format!("Open for {}, held back until now", open()),
        ChangeKind::Joined => "More of the same".to_owned(),
        ChangeKind::Reminded => format!("Still open after {}", open()),
        ChangeKind::Acknowledged => "Somebody is on it".to_owned(),
        ChangeKind::Escalated => format!("Nobody is on it after {}", open()),
        ChangeKind::Resolved => "Resolved".to_owned(),
        ChangeKind::Expired => "Closed, not known to be fixed".to_owned(),
        ChangeKind::Flapping => "Comes and goes".to_owned(),
        ChangeKind::Calm => "Calm again".to_owned(),
    }
}

/// Whether a check is about payments and orders, by its id.
pub(super) fn is_money(check: &str) -> bool {
    ["stripe-", "orders-", "webhook-"].iter().any(|area| check.starts_with(area))
}

/// Whether money or customers are at stake, and how soon to act: what a founder asks first.
pub(super) fn stakes(incident: &Incident) -> &'static str {
    let check = incident.key.check.as_str();
    let opens = ["secrets-", "supabase-"].iter().any(|area| check.starts_with(area));
    if incident.key.code == Incident::BLIND {
        return if is_money(check) {
            "We cannot see whether money is at stake: this part is about payments or orders."
        } else {
            "This part is not being watched until it is fixed."
        };
    }
    match (incident.urgency, incident.severity) {
        (Urgency::Now, _) if is_money(check) => {
            "Money is at stake: this is about payments or orders. Act now."
        }
        (_, Severity::Critical | Severity::Warning) if is_money(check) => {
            "Money is involved: this is about payments or orders."
        }
        (Urgency::Now, _) if opens => "Keys or customer data may be exposed. Act now.",
        (Urgency::Now, _) => "Customers can run into this, and orders may be lost. Act now.",
        (_, Severity::Critical) => {
            "Not about money. It blocks the launch and can wait until the morning."
        }
        (_, Severity::Warning) => "Not about money. It can wait for working hours.",
        (_, Severity::Info) => "Not about money, and no hurry.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_in_the_zone_with_its_name() {
        let berlin = Zone::of("Europe/Berlin");
        let morning = at("2026-11-22T07:15:30Z");
        assert_eq!(berlin.when(morning), "22 Nov 2026, 08:15 (Europe/Berlin)");
        assert_eq!(
            berlin.between(morning, at("2026-11-22T07:27:00Z")),
            "22 Nov 2026, 08:15 to 08:27 (Europe/Berlin)"
        );
        assert_eq!(
            berlin.between(morning, at("2026-11-22T23:27:00Z")),
            "22 Nov 2026, 08:15 to 23 Nov 2026, 00:27 (Europe/Berlin)"
        );
        assert_eq!(Zone::of("Mars/Phobos").when(morning), "22 Nov 2026, 07:15 (UTC)");
    }

    #[test]
    fn spans_have_at_most_two_units() {
        for (seconds, words) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 min"),
            (3_600, "1 h"),
            (11_100, "3 h 5 min"),
            (86_400, "1 day"),
            (187_200, "2 days 4 h"),
        ] {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), words);
        }
    }
}
