//! Compares what two programs say, and holds the differences against `DISAGREEMENTS.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

/// What one program says of a case: the aspects that it has an opinion about.
pub(crate) type Said = BTreeMap<&'static str, String>;

/// One generated case and what both say of it.
#[derive(Debug)]
pub(crate) struct Compared {
    /// What kind of case it is; explanations are given for a kind.
    pub(crate) family: String,
    /// The case itself, for whoever reads a failure.
    pub(crate) input: String,
    pub(crate) ours: Said,
    pub(crate) peer: Said,
}

impl Compared {
    /// Where ours names every reason and the peer only the first that it comes to, they agree when
    /// that one is among ours.
    pub(crate) fn with_reasons(family: String, input: String, ours: Said, mut peer: Said) -> Self {
        if let (Some(all), Some(one)) = (ours.get("reason"), peer.get("reason"))
            && all.split(", ").any(|reason| reason == one)
        {
            peer.insert("reason", all.clone());
        }
        Self { family, input, ours, peer }
    }
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ledger {
    disagreement: Vec<Entry>,
}

/// A difference that is known, and why it is there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The test that sees it.
    area: String,
    /// The program that is compared with.
    peer: String,
    families: Vec<String>,
    aspect: String,
    launchready: String,
    other: String,
    right: Right,
    /// The document that decides, with its section.
    by: String,
    why: String,
}

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Right {
    Launchready,
    Other,
    /// The document leaves it open, or the two answer different questions.
    Both,
}

fn ledger() -> Ledger {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/DISAGREEMENTS.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Where the two differ: the aspects about which both have an opinion.
type Difference = (String, &'static str, String, String);

fn differences(compared: &[Compared]) -> BTreeMap<Difference, Vec<&str>> {
    let mut all: BTreeMap<Difference, Vec<&str>> = BTreeMap::new();
    for case in compared {
        for (aspect, ours) in &case.ours {
            let Some(peer) = case.peer.get(aspect).filter(|peer| *peer != ours) else { continue };
            let (ours, peer) = match (ours.parse::<i64>(), peer.parse::<i64>()) {
                // Numbers vary with the case; which of them is larger does not.
                (Ok(ours), Ok(peer)) => {
                    let [more, fewer] = ["more", "fewer"].map(str::to_owned);
                    if ours > peer { (more, fewer) } else { (fewer, more) }
                }
                _ => (ours.clone(), peer.clone()),
            };
            all.entry((case.family.clone(), aspect, ours, peer)).or_default().push(&case.input);
        }
    }
    all
}

/// Fails on a difference that the file does not name, and on an entry of the file that is not seen.
pub(crate) fn settle(area: &str, peer: &str, compared: &[Compared]) {
    let differences = differences(compared);
    let mut wrong = String::new();
    let entries: Vec<Entry> = ledger()
        .disagreement
        .into_iter()
        .filter(|e| (&*e.area, &*e.peer) == (area, peer))
        .collect();
    let matches = |entry: &Entry, (family, aspect, ours, other): &Difference| {
        entry.families.contains(family)
            && (&*entry.aspect, &entry.launchready, &entry.other) == (*aspect, ours, other)
    };
    let mut explained = 0;
    for (difference, inputs) in &differences {
        if entries.iter().any(|entry| matches(entry, difference)) {
            explained += inputs.len();
            continue;
        }
        let (family, aspect, ours, other) = difference;
        _ = writeln!(
            wrong,
            "{family}: {aspect}: launchready says {ours:?}, {peer} says {other:?} ({} cases)\n    {}",
            inputs.len(),
            inputs[0].replace('\n', "\n    ")
        );
    }
    for entry in &entries {
        for family in &entry.families {
            let seen = differences.keys().any(|seen| seen.0 == *family && matches(entry, seen));
            if !seen {
                _ = writeln!(
                    wrong,
                    "{family}: {}: the file says that launchready says {:?} and {peer} {:?}, which \
                     does not happen",
                    entry.aspect, entry.launchready, entry.other
                );
            }
        }
    }
    let families: BTreeSet<&str> = compared.iter().map(|case| case.family.as_str()).collect();
    let opinions: usize =
        compared.iter().map(|c| c.ours.keys().filter(|a| c.peer.contains_key(*a)).count()).sum();
    println!(
        "{area} against {peer}: {} cases of {} kinds, {opinions} opinions compared, {explained} \
         differ and are explained",
        compared.len(),
        families.len()
    );
    assert!(wrong.is_empty(), "{area} against {peer}:\n{wrong}");
}

#[test]
fn each_disagreement_is_explained_once() {
    let mut seen = BTreeSet::new();
    for entry in ledger().disagreement {
        let Entry { area, peer, families, aspect, launchready, other, right, by, why } = entry;
        assert!(!families.is_empty() && why.len() > 20, "{area} {aspect}: {why}");
        assert_ne!(launchready, other, "{area} {families:?}");
        assert!(by.len() > 5, "{area} {families:?}: no document decides");
        // Where the other one is right the product is mended, unless a limit of ours is documented.
        assert!(right != Right::Other || why.contains("Limits"), "{area} {families:?}: {why}");
        for family in families {
            let key = (
                area.clone(),
                peer.clone(),
                family,
                aspect.clone(),
                launchready.clone(),
                other.clone(),
            );
            assert!(seen.insert(key.clone()), "{key:?} stands in the file twice");
        }
    }
}
