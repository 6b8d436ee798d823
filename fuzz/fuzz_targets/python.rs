//! Any bytes as a Python file: read into facts, and executed.
#![no_main]

use std::borrow::Cow;
use std::sync::Arc;

use ftcheck::imports::parse::parse;
use ftcheck::imports::{Distribution, Environment, Files};
use ftcheck::model::target::Target;
use libfuzzer_sys::fuzz_target;

struct One(Vec<String>, Vec<u8>);

impl Files for One {
    fn names(&self) -> &[String] {
        &self.0
    }

    fn source(&self, _: &str) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(&self.1))
    }
}

fuzz_target!(|source: &[u8]| {
    let facts = parse(source);
    let platform = "linux".parse().expect("a platform");
    let mut environment = Environment::new(Target::PY314T, platform);
    environment.add(Distribution {
        name: "one".to_owned(),
        files: Arc::new(One(vec!["one.py".to_owned()], source.to_vec())),
        extensions: Some(Vec::new()),
    });
    let report = environment.import_report("one");
    // Nothing compiled is there.
    assert_ne!(report.enables_gil, Some(true));
    if facts.problem.is_none() {
        assert!(report.reason.is_some());
    }
});
