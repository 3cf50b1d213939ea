//! Lists that stay small, because evidence does.

use serde::{Deserialize, Serialize};

/// A list that keeps its first items and counts the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded<T> {
    /// The items that were kept.
    pub items: Vec<T>,
    /// How many more there were.
    #[serde(default)]
    pub cut: usize,
}

impl<T> Bounded<T> {
    /// Keeps the first `limit` items of `all`.
    pub fn keep(all: impl IntoIterator<Item = T>, limit: usize) -> Self {
        let mut items = Vec::new();
        let mut cut = 0;
        for item in all {
            if items.len() < limit {
                items.push(item);
            } else {
                cut += 1;
            }
        }
        Self { items, cut }
    }

    /// How many there were in all.
    pub fn total(&self) -> usize {
        self.items.len() + self.cut
    }
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { items: Vec::new(), cut: 0 }
    }
}
