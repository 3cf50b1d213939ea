//! What a desk is called and where one clicks in it.

/// The name of a desk for people.
pub(super) fn name(kind: &str) -> &str {
    match kind {
        "zendesk" => "Zendesk",
        "intercom" => "Intercom",
        "freshdesk" => "Freshdesk",
        "helpscout" => "Help Scout",
        "front" => "Front",
        _ => "the tickets table",
    }
}

/// Where the requests that wait are listed.
pub(super) fn waiting_list(kind: &str) -> &'static str {
    match kind {
        "zendesk" => "Zendesk: Views → All unsolved tickets, sorted by Requester updated",
        "intercom" => "Intercom: Inbox → All → Open, sorted by Waiting longest",
        "freshdesk" => "Freshdesk: Tickets → All unresolved tickets, sorted by Date created",
        "helpscout" => "Help Scout: Mailbox → All → Active, sorted by Waiting since",
        "front" => "Front: Inbox → Open, sorted by Oldest",
        _ => "your own tool for requests, oldest first",
    }
}

/// Where routing rules are set.
pub(super) fn rules(kind: &str) -> &'static str {
    match kind {
        "zendesk" => "Zendesk: Admin Center → Objects and rules → Business rules → Triggers",
        "intercom" => "Intercom: Settings → Automation → Workflows",
        "freshdesk" => "Freshdesk: Admin → Workflows → Automations → Ticket Creation",
        "helpscout" => "Help Scout: Manage → Workflows",
        "front" => "Front: Settings → Rules",
        _ => "the code that writes the tickets table",
    }
}

/// A length of time for people: the largest unit that says enough.
pub(super) fn span(seconds: f64) -> String {
    let (unit, size) = match seconds {
        s if s < 120.0 => ("s", 1.0),
        s if s < 7_200.0 => ("min", 60.0),
        s if s < 259_200.0 => ("h", 3_600.0),
        _ => ("days", 86_400.0),
    };
    format!("{:.0} {unit}", (seconds / size).floor())
}

/// `1 customer`, `2 customers`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_the_unit_that_says_enough() {
        let told: Vec<_> = [59.0, 119.0, 3_600.0, 86_400.0, 111_600.0, 864_000.0].map(span).into();
        assert_eq!(told, ["59 s", "119 s", "60 min", "24 h", "31 h", "10 days"]);
    }
}
