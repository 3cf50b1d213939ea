//! The stack of a product, put together from what the recognisers saw.

use super::access::{Access, Part, named};
use super::bundle::Bundle;
use super::mail::Mail;
use super::signs::Sign;

/// The most characters of a sign that are shown.
const SIGN_CHARS: usize = 90;

/// A system that was seen, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its word in [`super::ACCESS`].
    pub word: &'static str,
    /// What gave it away, fit for a comment and a terminal.
    pub sign: String,
}

/// A host of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSeen {
    /// Its full name.
    pub name: String,
    /// The platform that answers for it.
    pub platform: Option<&'static str>,
}

/// The project of Supabase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supabase {
    /// The 20 letters.
    pub reference: String,
    /// The key that every browser is given.
    pub public_key: Option<String>,
}

/// What shows of a product from outside.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// The domain.
    pub domain: String,
    /// The platform that answers for the domain itself.
    pub platform: Option<&'static str>,
    /// Hosts of the product below the domain, in the order in which they are looked for.
    pub hosts: Vec<HostSeen>,
    /// Names that exist and are not declared.
    pub other_names: Vec<String>,
    /// Its mail.
    pub mail: Mail,
    /// Systems that launchready can read.
    pub systems: Vec<Sighting>,
    /// Services that it cannot read, each with where it was seen.
    pub services: Vec<(&'static Sign, String)>,
    /// Supabase.
    pub supabase: Option<Supabase>,
    /// The publishable key of Stripe is one of the live mode.
    pub stripe_live: Option<bool>,
    /// The account at Zendesk.
    pub zendesk: Option<String>,
    /// The account at Freshdesk.
    pub freshdesk: Option<String>,
    /// Make's zone.
    pub make_zone: Option<String>,
    /// The host of n8n.
    pub n8n: Option<String>,
    /// Addresses of Edge Functions that scripts call.
    pub functions: Vec<String>,
    /// Addresses of webhooks that answered.
    pub webhooks: Vec<String>,
    /// Addresses to which an identity provider may send browsers back.
    pub callbacks: Vec<String>,
    /// Legal pages that the home page links to.
    pub legal_pages: Vec<String>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

impl Stack {
    /// Notes a system; the first sign is kept.
    pub fn note(&mut self, word: &'static str, sign: &str) {
        if !self.systems.iter().any(|known| known.word == word) {
            self.systems.push(Sighting { word, sign: clean(sign) });
        }
    }

    /// The system of a part that was seen first, in the order of signs on pages, names and mail.
    pub fn of_part(&self, part: Part) -> Option<(&'static Access, &str)> {
        let mut seen =
            self.systems.iter().filter_map(|it| Some((named(it.word)?, it.sign.as_str())));
        seen.find(|(access, _)| access.part == part)
    }

    /// Takes up what the scripts show.
    pub fn take_up(&mut self, bundle: &Bundle) {
        if let Some(live) = bundle.stripe_live {
            let mode = if live { "pk_live_…" } else { "pk_test_…" };
            self.note("stripe", &format!("{mode} in the page's scripts"));
            self.stripe_live = Some(live);
        }
        for (sign, place) in &bundle.services {
            self.note_service(sign, place);
        }
        for (own, found) in [
            (&mut self.zendesk, &bundle.zendesk),
            (&mut self.freshdesk, &bundle.freshdesk),
            (&mut self.make_zone, &bundle.make_zone),
        ] {
            if own.is_none() {
                own.clone_from(found);
            }
        }
    }

    /// Notes a service: as a system where it can be read.
    pub fn note_service(&mut self, sign: &'static Sign, place: &str) {
        match sign.system {
            Some(word) => self.note(word, place),
            None if self.services.iter().any(|(known, _)| known.name == sign.name) => {}
            None => self.services.push((sign, clean(place))),
        }
    }
}

/// Text of somebody else that is fit for a comment and a terminal: one line of plain characters.
pub(super) fn clean(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' || c == '…' { c } else { '?' };
    let mut short: String = text.chars().take(SIGN_CHARS).map(plain).collect();
    if text.chars().count() > SIGN_CHARS {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sign_of_a_system_is_kept_in_one_plain_line() {
        let mut stack = Stack::default();
        stack.note("zendesk", "evil\n[project.x]\u{1b}[31m");
        stack.note("zendesk", "later");
        stack.note("intercom", "widget");
        assert_eq!(stack.systems[0].sign, "evil?[project.x]?[31m");
        let (access, _) = stack.of_part(Part::Support).unwrap();
        assert_eq!(access.word, "zendesk");
        assert_eq!(stack.of_part(Part::Crm), None);
        assert_eq!(clean(&"x".repeat(500)).chars().count(), SIGN_CHARS + 1);
    }
}
