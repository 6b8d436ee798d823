//! Which of a package's newer releases to look at next, and what follows from what was seen. Pure:
//! the asking is the work of [`super::look`].
//!
//! Support for free threading tends to come with one release and to stay. So the newest release is
//! looked at first, then the search is halved between it and the release that is installed. That it
//! came to stay is an assumption, and it is only made where looking at all releases would take too
//! long; where something that was seen speaks against it, releases are looked at one by one from
//! the oldest. What was not looked at in the end is told with the answer.

/// What is known of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It keeps the GIL off.
    Fine,
    /// It enables the GIL.
    Bad,
    /// It was looked at, and could not be told.
    NotTold,
}

/// Releases that are looked at from the newest down where the newest does not keep the GIL off.
pub const MAX_FROM_NEWEST: usize = 8;
/// Where this many releases in all are enough to look at every one that matters, that is done.
pub const MAX_FOR_CERTAIN: usize = 10;
/// Releases between one that does not and one that does that are looked at in vain, since they could
/// not be told: each of them narrows the search by no more than itself.
pub const MAX_NOT_TOLD: usize = 4;
/// Releases that are looked at in all, at most.
pub const MAX_LOOKS: usize = 24;

/// A search through releases that have a wheel, oldest first.
#[derive(Debug, Clone)]
pub struct Search {
    seen: Vec<Option<Seen>>,
    looks: usize,
}

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The oldest release that was seen to keep the GIL off.
    pub first: Option<usize>,
    /// Whether that is the first one whatever the others do; where there is none, whether it is
    /// certain that none does.
    pub certain: bool,
    /// Whether the newest release keeps the GIL off.
    pub newest: bool,
    /// Releases that were not looked at and could be an earlier answer.
    pub not_looked_at: usize,
    /// Releases that could be an earlier answer and could not be told.
    pub not_told: usize,
    /// Whether some release enables the GIL though an older one does not.
    pub went_back: bool,
}

impl Search {
    /// A search of which some is known without looking, by tags.
    #[must_use]
    pub fn new(known: Vec<Option<Seen>>) -> Self {
        Self { seen: known, looks: 0 }
    }

    /// The release to look at next; none where the search is over.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        let newest = self.seen.len().checked_sub(1)?;
        if self.looks >= MAX_LOOKS {
            return None;
        }
        if self.seen[newest].is_none() {
            return Some(newest);
        }
        let Some(first) = self.first() else { return self.next_from_newest() };
        // Halve what lies between the oldest that does and the newest before it that does not.
        let below = self.seen.get(..first).unwrap_or_default();
        let start = below.iter().rposition(|seen| *seen == Some(Seen::Bad)).map_or(0, |at| at + 1);
        let between = below.get(start..).unwrap_or_default();
        let not_told = between.iter().filter(|seen| **seen == Some(Seen::NotTold)).count();
        let open: Vec<usize> = (start..first).filter(|at| self.seen[*at].is_none()).collect();
        if let Some(middle) = open.get(open.len() / 2)
            && not_told < MAX_NOT_TOLD
        {
            return Some(*middle);
        }
        let open = below.iter().filter(|seen| seen.is_none()).count();
        if self.went_back() || self.looks + open <= MAX_FOR_CERTAIN {
            return below.iter().position(Option::is_none);
        }
        None
    }

    /// None is known to: down from the newest, as far as that goes.
    fn next_from_newest(&self) -> Option<usize> {
        let looked_at = self.seen.iter().rev().take_while(|seen| seen.is_some()).count();
        let open = self.seen.iter().filter(|seen| seen.is_none()).count();
        if looked_at >= MAX_FROM_NEWEST && self.looks + open > MAX_FOR_CERTAIN {
            return None;
        }
        self.seen.iter().rposition(Option::is_none)
    }

    /// Notes what was seen of the release to look at.
    pub fn tell(&mut self, release: usize, seen: Seen) {
        if let Some(place) = self.seen.get_mut(release)
            && place.is_none()
        {
            *place = Some(seen);
            self.looks += 1;
        }
    }

    /// What is known of a release.
    #[must_use]
    pub fn seen(&self, release: usize) -> Option<Seen> {
        self.seen.get(release).copied().flatten()
    }

    fn first(&self) -> Option<usize> {
        self.seen.iter().position(|seen| *seen == Some(Seen::Fine))
    }

    fn went_back(&self) -> bool {
        self.first()
            .is_some_and(|first| self.seen.iter().skip(first).any(|seen| *seen == Some(Seen::Bad)))
    }

    /// What follows from all that was seen.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let first = self.first();
        let before = self.seen.get(..first.unwrap_or(self.seen.len())).unwrap_or_default();
        let count = |wanted: Option<Seen>| before.iter().filter(|seen| **seen == wanted).count();
        let (not_looked_at, not_told) = (count(None), count(Some(Seen::NotTold)));
        Outcome {
            first,
            certain: not_looked_at == 0 && not_told == 0,
            newest: self.seen.last().copied().flatten() == Some(Seen::Fine),
            not_looked_at,
            not_told,
            went_back: self.went_back(),
        }
    }
}
