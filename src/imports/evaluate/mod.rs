//! What a module's body does, statement by statement, as the interpreter would execute it.
//!
//! Each question begins with nothing imported. Conditions are evaluated as far as they are known;
//! where one is not, every way is gone, one after the other, with the names that it had at the
//! fork. A way on which the GIL was enabled ends there: it is known. So the GIL is enabled for
//! certain where every way ended so, and not at all where none did.
//!
//! What is not followed: what calls of unknown things do, and that any statement may fail.

mod attribute;
mod builtin;
mod call;
mod class;
mod comparison;
mod comprehension;
mod constant;
mod exception;
mod expression;
mod finding;
mod guarded;
mod import;
mod lazy;
mod load;
mod scope;
mod standard;
mod statement;
mod value;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::HashMap;

use self::scope::Scope;
use self::value::{ScopeId, Value};
use super::edges::Edges;
use super::environment::{Environment, ModuleId};
use super::facts::{At, Name, Statement};

/// The most that is executed for one call of a function by a module's body. What computes longer
/// decides nothing about imports.
const MAX_CALL_STEPS: u64 = 30_000;
/// The most that is executed for all calls of one function in which nothing is imported.
const MAX_IDLE_STEPS: u64 = 60_000;
/// The most statements and expressions that are executed for one question.
const MAX_STEPS: u64 = 20_000_000;
/// Scopes that are kept.
const MAX_SCOPES: usize = 1_000_000;
/// Names bound since a way parted, which are kept to undo them.
const MAX_JOURNAL: usize = 2_000_000;
/// Imports in one another. Each takes six frames of CPython's limit of 1000.
const MAX_IMPORTS: usize = 1_000;
/// Calls in one another.
const MAX_CALLS: usize = 40;
/// Modules that an import with a computed name is tried with.
const MAX_COMPUTED: usize = 200;
/// Stack that is there before a module or function is executed, and what is added where it is not.
const STACK_NEEDED: usize = 2 << 20;
const STACK: usize = 16 << 20;

/// How a module that matters was come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) module: ModuleId,
    /// The modules that were being executed, outermost first, and then it.
    pub(super) chain: Vec<ModuleId>,
}

/// Why a block ended before its end.
#[derive(Debug, Clone)]
enum Stop {
    /// An exception, by its class.
    Raise(Value),
    Return(Value),
    Break,
    Continue,
    /// The GIL was enabled: what comes after does not matter.
    Enabled(Box<Met>),
    /// More than is executed for one question.
    Exhausted,
    /// More than is executed for one call.
    TooLong,
}

type Outcome<T = ()> = Result<T, Stop>;

/// How far a module has come.
#[derive(Debug, Clone)]
enum Status {
    Executing,
    Done,
    /// Importing it enables the GIL.
    Enabled(Box<Met>),
    /// It raised an exception of this class.
    Failed(Value),
}

/// What was done that may have raised something, since a `try` began.
#[derive(Debug, Default, Clone, Copy)]
struct Doubts {
    /// Something unknown was called.
    called: bool,
    /// A name was imported that may not be there.
    imported: bool,
}

/// What is noted of one module while it is executed.
#[derive(Debug, Default)]
pub(super) struct Watched {
    module: Option<ModuleId>,
    /// Where imports stand that were made, with the modules that they were of.
    pub(super) made: BTreeMap<At, BTreeSet<ModuleId>>,
    /// Where imports stand that were made by a name that is not known.
    pub(super) computed: BTreeSet<At>,
    /// Where imports stand that a condition which is known excludes.
    pub(super) excluded: BTreeSet<At>,
    /// Why it was not executed to its end.
    pub(super) problem: Option<String>,
}

/// Ways that ended, put aside.
struct Aside {
    pending: Vec<Stop>,
    /// Whether what is executed meanwhile is executed on some ways only.
    doubts: bool,
}

impl Stop {
    /// Whether nothing is followed any further, whatever catches it.
    fn is_final(&self) -> bool {
        matches!(self, Self::Exhausted | Self::TooLong)
    }
}

/// Where a statement is executed.
#[derive(Debug)]
struct Frame {
    module: ModuleId,
    /// Where names are bound.
    scope: ScopeId,
    /// Where names are looked up next, innermost last.
    outer: Vec<ScopeId>,
    /// Names declared to be the module's, or an outer function's.
    declared: std::cell::RefCell<Vec<(Name, ScopeId)>>,
    /// What `super()` and such are called on.
    receiver: Option<Value>,
}

/// What importing some names does.
pub(super) struct Run<'e> {
    pub(super) environment: &'e Environment,
    /// Whether to go on behind a module that enables the GIL, to see all imports there are.
    explores: bool,
    status: HashMap<ModuleId, Status>,
    scopes: Vec<Scope>,
    module_scopes: HashMap<ModuleId, ScopeId>,
    /// What stands in `sys.modules` in place of a module, and for names without a file.
    replaced: HashMap<String, Value>,
    /// Whether modules may be found in other ways than in files.
    finders_changed: bool,
    /// Packages that changed where their modules are looked for.
    changed_paths: BTreeSet<ModuleId>,
    journal: Vec<(ScopeId, Name, Option<scope::Bound>)>,
    forks: usize,
    /// How many undecided conditions lie around what is executed.
    doubt: usize,
    /// How many of them lie around the module that is executed.
    outer_doubt: usize,
    /// Ways that ended at some point, beside the one that goes on.
    pending: Vec<Stop>,
    /// What the `try` statements around catch, innermost last.
    handlers: Vec<Vec<Option<Value>>>,
    doubts: Doubts,
    /// Exceptions that are being handled.
    handling: Vec<Value>,
    executing: Vec<ModuleId>,
    calls: Vec<std::sync::Arc<super::facts::Function>>,
    steps: u64,
    /// The step at which the present call is given up.
    call_ends: Option<u64>,
    /// How many functions and classes were defined.
    captures: u64,
    /// How often something was imported, by a statement or a call.
    imports: u64,
    /// Functions that a module's body called, by their place in memory, with the steps that they
    /// took in all without importing anything.
    idle: HashMap<usize, u64>,
    /// The modules whose functions the present call executes.
    called: BTreeSet<ModuleId>,
    /// Modules whose functions were gone through for the imports in them.
    searched: BTreeSet<ModuleId>,
    /// Modules in the order in which they were begun.
    pub(super) order: Vec<ModuleId>,
    /// The first module that enables the GIL on some way.
    pub(super) enabling: Option<Met>,
    /// The first module of which it is not known what it does, with why.
    pub(super) undetermined: Option<(Met, String)>,
    /// All modules that enable the GIL, or of which it is not known what they do.
    untold: BTreeSet<ModuleId>,
    /// Whether something was not executed because it was too much.
    cut_short: bool,
    /// What could not be followed and may matter.
    pub(super) unknown: Option<String>,
    /// Why the import fails, as far as was seen.
    pub(super) failure: Option<String>,
    /// Which module imports which when it is executed.
    pub(super) edges: Edges,
    /// What is noted of one module.
    watched: Option<Watched>,
    pub(super) seen_extensions: BTreeSet<ModuleId>,
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The GIL is enabled on every way.
    Enabled(Met),
    /// It stays off on some way at least; the run tells whether on all.
    Open,
}

impl<'e> Run<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            explores: false,
            status: HashMap::default(),
            scopes: Vec::new(),
            module_scopes: HashMap::default(),
            replaced: HashMap::default(),
            finders_changed: false,
            changed_paths: BTreeSet::new(),
            journal: Vec::new(),
            forks: 0,
            doubt: 0,
            outer_doubt: 0,
            pending: Vec::new(),
            handlers: Vec::new(),
            doubts: Doubts::default(),
            handling: Vec::new(),
            executing: Vec::new(),
            calls: Vec::new(),
            steps: 0,
            call_ends: None,
            captures: 0,
            imports: 0,
            idle: HashMap::default(),
            called: BTreeSet::new(),
            searched: BTreeSet::new(),
            order: Vec::new(),
            enabling: None,
            undetermined: None,
            untold: BTreeSet::new(),
            cut_short: false,
            unknown: None,
            failure: None,
            edges: Edges::default(),
            watched: None,
            seen_extensions: BTreeSet::new(),
        }
    }

    /// One that goes on behind modules that enable the GIL.
    pub(super) fn exploring(environment: &'e Environment) -> Self {
        Self { explores: true, ..Self::new(environment) }
    }

    /// Imports a dotted name, as `import NAME` in a new process does.
    pub(super) fn import(&mut self, dotted: &str) -> Answer {
        let outcome = self.import_dotted(dotted, None, None).map(|_| ());
        self.answer(outcome)
    }

    /// Executes statements as if they stood in a module of that name, which is in no file.
    pub(super) fn statements(&mut self, module: ModuleId, statements: &[Statement]) -> Answer {
        let scope = self.new_scope();
        let frame = Frame::of(module, scope);
        let outcome = self.block(&frame, statements);
        self.answer(outcome)
    }

    /// The modules that were executed to their end, and by that led to none which enables the GIL or is
    /// not known. Without those that put something else in their place, of which names may be asked.
    pub(super) fn led_nowhere(&self) -> Vec<ModuleId> {
        if self.cut_short {
            return Vec::new();
        }
        let all = self.status.iter().map(|(module, how)| (*module, how));
        let enabled = all.clone().filter(|(_, how)| matches!(how, Status::Enabled(_)));
        let untold = self.untold.iter().copied().chain(enabled.map(|(module, _)| module));
        let mut leading = HashSet::new();
        self.edges.leading_to(untold, &mut leading);
        let ended = all.filter(|(_, how)| matches!(how, Status::Done | Status::Failed(_)));
        let ended = ended.map(|(module, _)| module).filter(|module| !leading.contains(module));
        ended.filter(|id| !self.replaced.contains_key(&self.environment.name(*id))).collect()
    }

    /// Executes a module for its imports, whatever comes of it.
    pub(super) fn explore(&mut self, module: ModuleId) {
        self.steps = 0;
        self.pending.clear();
        let dotted = self.environment.name(module);
        let _ = self.import_dotted(&dotted, None, None);
    }

    /// Says that it is wanted where the imports of a module stand that are made.
    pub(super) fn watch(&mut self, module: ModuleId) {
        self.watched = Some(Watched { module: Some(module), ..Watched::default() });
    }

    /// What was noted of it.
    pub(super) fn watched(self) -> Watched {
        self.watched.unwrap_or_default()
    }

    /// Notes that a condition which is known excludes these statements.
    fn exclude(&mut self, module: ModuleId, body: &[Statement]) {
        if let Some(watched) = &mut self.watched
            && watched.module == Some(module)
        {
            let found = crate::imports::search::imports(body);
            watched.excluded.extend(found.iter().filter_map(|one| one.what.at()));
        }
    }

    fn answer(&mut self, outcome: Outcome) -> Answer {
        match outcome {
            Err(Stop::Enabled(met)) => {
                let others = self.pending.iter().any(|stop| !matches!(stop, Stop::Enabled(_)));
                if others {
                    self.enabling.get_or_insert(*met);
                    return Answer::Open;
                }
                Answer::Enabled(*met)
            }
            Err(stop) if stop.is_final() => {
                let reason = "more is executed than is followed".to_owned();
                self.cut_short = true;
                if let Some(watched) = &mut self.watched {
                    watched.problem = Some(reason.clone());
                }
                self.unknown.get_or_insert(reason);
                Answer::Open
            }
            Ok(()) | Err(_) => Answer::Open,
        }
    }

    /// Counts one step.
    fn step(&mut self) -> Outcome {
        self.steps += 1;
        let grown = self.scopes.len() > MAX_SCOPES || self.journal.len() > MAX_JOURNAL;
        if self.steps > MAX_STEPS || grown {
            return Err(Stop::Exhausted);
        }
        match self.call_ends {
            Some(end) if self.steps > end => Err(Stop::TooLong),
            _ => Ok(()),
        }
    }

    /// Puts aside the ways that ended, for what has an end of its own.
    fn aside(&mut self) -> Aside {
        let pending = std::mem::take(&mut self.pending);
        let doubts = pending.iter().any(|stop| !matches!(stop, Stop::Enabled(_)));
        self.doubt += usize::from(doubts);
        Aside { pending, doubts }
    }

    /// Takes back what was put aside, and gives the ways that ended since.
    fn back(&mut self, aside: Aside) -> Vec<Stop> {
        self.doubt -= usize::from(aside.doubts);
        std::mem::replace(&mut self.pending, aside.pending)
    }

    /// Whether what is executed now is executed on every way.
    fn is_certain(&self) -> bool {
        self.doubt == 0 && self.pending.iter().all(|stop| matches!(stop, Stop::Enabled(_)))
    }

    /// Whether what is executed now is executed whenever its module is.
    fn is_certain_here(&self) -> bool {
        self.doubt == self.outer_doubt
            && self.pending.iter().all(|stop| matches!(stop, Stop::Enabled(_)))
    }

    /// The modules that are being executed, and then this one.
    fn met(&self, module: ModuleId) -> Met {
        let mut chain = self.executing.clone();
        if chain.last() != Some(&module) {
            chain.push(module);
        }
        Met { module, chain }
    }
}

impl Frame {
    fn of(module: ModuleId, scope: ScopeId) -> Self {
        Self {
            module,
            scope,
            outer: Vec::new(),
            declared: std::cell::RefCell::default(),
            receiver: None,
        }
    }

    /// Where a name is bound from here.
    fn scope_of(&self, name: &str) -> ScopeId {
        let declared = self.declared.borrow();
        declared.iter().rev().find(|(one, _)| one == name).map_or(self.scope, |(_, scope)| *scope)
    }
}
