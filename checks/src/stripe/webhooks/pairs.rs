//! Destinations that are told the same.

use super::Told;
use crate::contract::Connect;
use crate::probe::EventScope;

/// Pairs of enabled destinations that tell the product of the same events, with those events.
pub(super) fn doubled(all: &[Told], connect: Connect) -> Vec<(&Told, &Told, Vec<&str>)> {
    let mut pairs = Vec::new();
    let enabled = |told: &&Told| told.enabled && told.place.is_web;
    for (place, one) in all.iter().enumerate().filter(|(_, told)| enabled(told)) {
        for other in all.iter().skip(place + 1).filter(enabled) {
            let same = one.place.same(&other.place);
            // An automation beside the product is no second telling of the product.
            let product = same || (one.place.is_own() && other.place.is_own());
            // The list of endpoints does not say which of two is for connected accounts.
            let for_sellers = connect != Connect::None && one.scope == EventScope::Unsaid && !same;
            if !product || for_sellers || (one.scope, one.thin) != (other.scope, other.thin) {
                continue;
            }
            let both: Vec<&str> = one
                .hears
                .iter()
                .filter(|kind| other.hears.contains(kind))
                .map(String::as_str)
                .collect();
            if !both.is_empty() {
                pairs.push((one, other, both));
            }
        }
    }
    pairs
}
