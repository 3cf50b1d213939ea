//! Keeps a walk over pages within its limits, and notices a page that repeats and a cursor that loops.

use std::collections::HashSet;
use std::time::Duration;

use launchready_checks::probe::{ProbeError, TargetFault, Walked};
use tokio::time::Instant;

/// The longest that one walk takes; a check that makes several has to fit them into its own time.
const WALK: Duration = Duration::from_secs(40);

/// A walk over the pages of one list.
#[derive(Debug)]
pub(super) struct Pages {
    name: &'static str,
    most: u32,
    turned: u32,
    end: Instant,
    ids: HashSet<String>,
    cursors: HashSet<String>,
    entries: u64,
    cut: bool,
}

impl Pages {
    /// A walk over at most so many pages of a vendor.
    pub(super) fn new(name: &'static str, most: u32) -> Self {
        let end = Instant::now() + WALK;
        let (ids, cursors) = (HashSet::new(), HashSet::new());
        Self { name, most, turned: 0, end, ids, cursors, entries: 0, cut: false }
    }

    /// Whether another page may be read. If not, the walk is cut.
    pub(super) fn more(&mut self) -> bool {
        let more = self.turned < self.most && Instant::now() < self.end;
        self.turned += 1;
        self.cut |= !more;
        more
    }

    /// Whether an entry is new; entries move between pages while one reads.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let new = self.ids.insert(id.to_owned());
        self.entries += u64::from(new);
        new
    }

    /// Notes that a page with so many entries, so many of them new, has been read.
    ///
    /// # Errors
    /// Nothing on it was new: the vendor sends the same page again.
    pub(super) fn read(&self, entries: usize, new: usize) -> Result<(), ProbeError> {
        if entries > 0 && new == 0 { Err(self.again("the same page")) } else { Ok(()) }
    }

    /// Notes the cursor of the next page.
    ///
    /// # Errors
    /// It came before: the walk would never end.
    pub(super) fn follow(&mut self, cursor: &str) -> Result<(), ProbeError> {
        if self.cursors.insert(cursor.to_owned()) { Ok(()) } else { Err(self.again("a cursor")) }
    }

    /// The end of the list cannot be reached.
    pub(super) const fn cut(&mut self) {
        self.cut = true;
    }

    /// How it ended.
    pub(super) const fn end(&self) -> Walked {
        Walked { entries: self.entries, cut: self.cut }
    }

    fn again(&self, what: &str) -> ProbeError {
        let what = format!("{} sends {what} twice, so the list never ends", self.name);
        TargetFault::Malformed(what).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_repeats_and_a_cursor_that_loops_end_the_walk() {
        let mut pages = Pages::new("the desk", 2);
        assert!(pages.more() && pages.is_new("1") && pages.is_new("2"));
        assert!(pages.read(2, 2).is_ok() && pages.follow("a").is_ok());
        assert!(!pages.is_new("2"), "an entry that moved is told once");
        assert!(pages.read(2, 1).is_ok(), "a page with something new is none that repeats");
        assert!(pages.read(2, 0).is_err() && pages.read(0, 0).is_ok());
        assert!(pages.follow("a").is_err());
        assert!(pages.more() && !pages.more());
        assert_eq!(pages.end(), Walked { entries: 2, cut: true });
    }
}
