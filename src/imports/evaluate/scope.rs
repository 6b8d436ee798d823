//! Names and what they are bound to, and ways that part and join.

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::value::{ScopeId, Value};
use super::{Outcome, Run, Stop};
use crate::imports::facts::Name;

/// What names were bound to on one way.
type Changes = HashMap<(ScopeId, Name), Option<Bound>>;

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    names: HashMap<Name, Bound>,
    /// Whether names may be bound here that were not seen.
    pub(super) open: bool,
}

/// What a name is bound to.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) value: Value,
    /// Whether it is bound on every way.
    pub(super) certain: bool,
}

impl Run<'_> {
    pub(super) fn new_scope(&mut self) -> ScopeId {
        self.scopes.push(Scope::default());
        ScopeId(self.scopes.len() - 1)
    }

    /// Forgets the scope of a call that ended and left nothing that looks names up there.
    pub(super) fn drop_scope(&mut self, id: ScopeId) {
        if id.0 + 1 == self.scopes.len() {
            self.scopes.pop();
        }
    }

    pub(super) fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id.0)
    }

    /// Says that names may be bound there that were not seen.
    pub(super) fn open_scope(&mut self, id: ScopeId) {
        if let Some(scope) = self.scopes.get_mut(id.0) {
            scope.open = true;
        }
    }

    pub(super) fn bound(&self, scope: ScopeId, name: &str) -> Option<&Bound> {
        self.scopes.get(scope.0)?.names.get(name)
    }

    /// All names that are bound there, in order.
    pub(super) fn names_of(&self, scope: ScopeId) -> BTreeMap<Name, Bound> {
        self.scopes
            .get(scope.0)
            .map(|scope| {
                scope.names.iter().map(|(name, one)| (name.clone(), one.clone())).collect()
            })
            .unwrap_or_default()
    }

    pub(super) fn bind(&mut self, scope: ScopeId, name: &str, value: Value) {
        self.set(scope, Name::new(name), Some(Bound { value, certain: true }));
    }

    pub(super) fn set(&mut self, scope: ScopeId, name: Name, bound: Option<Bound>) {
        let Some(names) = self.scopes.get_mut(scope.0).map(|scope| &mut scope.names) else {
            return;
        };
        let old = match bound {
            Some(bound) => names.insert(name.clone(), bound),
            None => names.remove(&name),
        };
        if self.forks > 0 {
            self.journal.push((scope, name, old));
        }
    }

    /// Goes several ways from here, one after the other, each with the names as they are now, and
    /// joins them.
    ///
    /// Modules that one way imported count as imported on the others: had one of them enabled the
    /// GIL, that way would have ended there.
    pub(super) fn fork(
        &mut self,
        ways: usize,
        mut go: impl FnMut(&mut Self, usize) -> Outcome,
    ) -> Outcome {
        let first_new = self.scopes.len();
        let mark = self.journal.len();
        self.forks += 1;
        self.doubt += 1;
        let mut pending = std::mem::take(&mut self.pending);
        let mut ends = Vec::new();
        let mut given_up = None;
        for way in 0..ways {
            let end = go(self, way);
            pending.append(&mut self.pending);
            let changes = self.roll_back(mark, first_new);
            match end {
                Err(stop) if stop.is_final() => {
                    given_up = Some(stop);
                    break;
                }
                end => ends.push((end, changes)),
            }
        }
        self.forks -= 1;
        self.doubt -= 1;
        self.pending = pending;
        if let Some(stop) = given_up {
            return Err(stop);
        }
        let mut stops = Vec::new();
        let mut joined = Vec::new();
        let goes_on = ends.iter().any(|(end, _)| end.is_ok());
        for (end, changes) in ends {
            match end {
                Ok(()) => joined.push(changes),
                Err(stop) => {
                    if !goes_on {
                        joined.push(changes);
                    }
                    stops.push(stop);
                }
            }
        }
        self.join(&joined);
        // A way that ends the program is taken not to be gone: published packages can be imported.
        let ends_program =
            |run: &Self, stop: &Stop| matches!(stop, Stop::Raise(class) if !run.is_caught(class));
        if goes_on {
            for stop in stops {
                if !ends_program(self, &stop) {
                    self.leave(stop);
                }
            }
            return Ok(());
        }
        let mut left: Vec<Stop> = Vec::new();
        let mut last = None;
        for stop in stops {
            if ends_program(self, &stop) {
                last = Some(stop);
            } else {
                left.push(stop);
            }
        }
        if left.iter().all(|stop| matches!(stop, Stop::Return(_))) && !left.is_empty() {
            let values = left.into_iter().filter_map(|stop| match stop {
                Stop::Return(value) => Some(value),
                _ => None,
            });
            return Err(Stop::Return(Value::one_of(values)));
        }
        let mut left = left.into_iter();
        let Some(first) = left.next() else { return last.map_or(Ok(()), Err) };
        for stop in left {
            self.leave(stop);
        }
        Err(first)
    }

    /// Keeps a way that ended here, while another goes on.
    pub(super) fn leave(&mut self, stop: Stop) {
        let known = |other: &Stop| match (&stop, other) {
            (Stop::Enabled(_), Stop::Enabled(_))
            | (Stop::Break, Stop::Break)
            | (Stop::Continue, Stop::Continue) => true,
            (Stop::Raise(a), Stop::Raise(b)) | (Stop::Return(a), Stop::Return(b)) => a.same(b),
            _ => false,
        };
        match &stop {
            Stop::Enabled(met) => {
                self.enabling.get_or_insert_with(|| (**met).clone());
            }
            // It ends the program, and is taken not to be gone.
            Stop::Raise(class) if !self.is_caught(class) => return,
            _ => {}
        }
        if !self.pending.iter().any(known) {
            self.pending.push(stop);
        }
    }

    /// Undoes what was bound since `mark` in scopes that were there, and gives it.
    fn roll_back(&mut self, mark: usize, first_new: usize) -> Changes {
        let mut changes = HashMap::default();
        while self.journal.len() > mark {
            let Some((scope, name, old)) = self.journal.pop() else { break };
            if scope.0 >= first_new {
                continue;
            }
            let Some(names) = self.scopes.get_mut(scope.0).map(|scope| &mut scope.names) else {
                continue;
            };
            let new = match old {
                Some(old) => names.insert(name.clone(), old),
                None => names.remove(&name),
            };
            // The first that is undone is the last that was done.
            changes.entry((scope, name)).or_insert(new);
        }
        changes
    }

    /// Binds what the ways that go on have bound, joined.
    fn join(&mut self, ways: &[Changes]) {
        let mut keys: Vec<(ScopeId, Name)> = ways.iter().flat_map(HashMap::keys).cloned().collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let before = self.bound(key.0, &key.1).cloned();
            let each: Vec<Option<Bound>> = ways
                .iter()
                .map(|way| way.get(&key).cloned().unwrap_or_else(|| before.clone()))
                .collect();
            let certain = each.iter().all(|one| one.as_ref().is_some_and(|one| one.certain));
            let mut values = each.into_iter().flatten().map(|one| one.value).peekable();
            let bound =
                values.peek().is_some().then(|| Bound { value: Value::one_of(values), certain });
            self.set(key.0, key.1, bound);
        }
    }
}
