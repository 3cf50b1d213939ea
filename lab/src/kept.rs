//! What a sink has taken: the last of it, and a way to wait for more.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The last entries, oldest first.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    /// How many are kept; older ones are dropped.
    most: usize,
    entries: Mutex<Entries<T>>,
    /// How many were ever added.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Entries<T> {
    last: VecDeque<Arc<T>>,
    ever: u64,
}

impl<T> Kept<T> {
    /// Nothing yet, and never more than `most`.
    pub(crate) fn new(most: usize) -> Self {
        let entries = Mutex::new(Entries { last: VecDeque::new(), ever: 0 });
        Self { most, entries, changes: watch::Sender::new(0) }
    }

    /// Adds the entry that `make` builds from its number, which counts from 1.
    pub(crate) fn add(&self, make: impl FnOnce(u64) -> T) {
        let ever = {
            let mut entries = locked(&self.entries);
            entries.ever += 1;
            let entry = Arc::new(make(entries.ever));
            if entries.last.len() >= self.most {
                entries.last.pop_front();
            }
            entries.last.push_back(entry);
            entries.ever
        };
        self.changes.send_replace(ever);
    }

    /// What is kept, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        locked(&self.entries).last.iter().cloned().collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        locked(&self.entries).last.clear();
    }

    /// How many were ever added.
    pub(crate) fn ever(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Waits until what is kept fits; `None` when it does not within `limit`.
    pub(crate) async fn wait_for(
        &self,
        fits: impl Fn(&[Arc<T>]) -> bool,
        limit: Duration,
    ) -> Option<Vec<Arc<T>>> {
        let deadline = Instant::now() + limit;
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let all = self.all();
            if fits(&all) {
                return Some(all);
            }
            timeout_at(deadline, changes.changed()).await.ok()?.ok()?;
        }
    }
}

/// A lock whose holder panicked is still good here: every change is a single step.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_are_kept_and_waited_for() {
        const KEPT: usize = 1_000;
        let kept = Arc::new(Kept::<u64>::new(KEPT));
        let adds = Arc::clone(&kept);
        let adding = tokio::spawn(async move {
            for _ in 0..KEPT + 5 {
                adds.add(|number| number);
                tokio::task::yield_now().await;
            }
        });
        let last = (KEPT + 5) as u64;
        let fits = |all: &[Arc<u64>]| all.last().is_some_and(|entry| **entry == last);
        let all = kept.wait_for(fits, Duration::from_secs(20)).await.unwrap();
        adding.await.unwrap();
        assert_eq!((all.len(), *all[0], kept.ever()), (KEPT, 6, last));
        assert!(kept.wait_for(<[_]>::is_empty, Duration::ZERO).await.is_none());
        kept.clear();
        assert!(kept.all().is_empty());
    }
}
