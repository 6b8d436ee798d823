//! Packages written in the test.

use std::borrow::Cow;
use std::sync::Arc;

use ftcheck::imports::{Distribution, Environment, Extension, Files};
use ftcheck::model::evidence::Gil;
use ftcheck::model::imports::ImportReport;
use ftcheck::model::platform::Platform;
use ftcheck::model::target::Target;

/// Files by their paths.
pub struct Text {
    names: Vec<String>,
    texts: Vec<Vec<u8>>,
}

impl Files for Text {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn source(&self, member: &str) -> Option<Cow<'_, [u8]>> {
        let at = self.names.iter().position(|name| name == member)?;
        self.texts.get(at).map(|text| Cow::Borrowed(text.as_slice()))
    }
}

pub fn linux() -> Platform {
    "x86_64-manylinux_2_28".parse().unwrap()
}

pub fn environment() -> Environment {
    Environment::new(Target::PY314T, linux())
}

/// Adds a package of Python files, and of compiled ones: those named `.so` enable the GIL where their
/// text is `enables`, are undetermined where it is `undetermined`, and keep it off otherwise.
pub fn add(environment: &mut Environment, name: &str, files: &[(&str, &str)]) {
    let extensions = files
        .iter()
        .filter(|(path, _)| path.ends_with(".so"))
        .map(|(path, text)| Extension {
            member: (*path).to_owned(),
            gil: match text.split_whitespace().next() {
                Some("enables") => Gil::Enables,
                Some("undetermined") => Gil::Undetermined,
                _ => Gil::KeepsOff,
            },
            mentions: text.split_whitespace().skip(1).map(str::to_owned).collect(),
        })
        .collect();
    environment.add(Distribution {
        name: name.to_owned(),
        extensions: Some(extensions),
        files: Arc::new(Text {
            names: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            texts: files.iter().map(|(_, text)| text.as_bytes().to_vec()).collect(),
        }),
    });
}

/// What `import pkg` does where the files are those of one package.
pub fn import(files: &[(&str, &str)]) -> ImportReport {
    import_beside(&[("pkg", files)])
}

/// What `import pkg` does beside other packages.
pub fn import_beside(packages: &[(&str, &[(&str, &str)])]) -> ImportReport {
    let mut environment = environment();
    for (name, files) in packages {
        add(&mut environment, name, files);
    }
    environment.import_report("pkg")
}

/// What a body does to the GIL as `pkg/__init__.py`, beside `pkg/bad.so`, which enables it,
/// `pkg/good.so`, which does not, and `pkg/sub.py`, which imports `pkg.bad`.
pub fn body(text: &str) -> Option<bool> {
    import(&[
        ("pkg/__init__.py", text),
        ("pkg/bad.so", "enables"),
        ("pkg/good.so", "keeps"),
        ("pkg/sub.py", "from . import bad\nvalue = 1\n"),
        ("pkg/plain.py", "value = 1\n"),
    ])
    .enables_gil
}

#[track_caller]
pub fn enables(text: &str) {
    assert_eq!(body(text), Some(true), "{text}");
}

#[track_caller]
pub fn keeps_off(text: &str) {
    assert_eq!(body(text), Some(false), "{text}");
}

#[track_caller]
pub fn not_known(text: &str) {
    assert_eq!(body(text), None, "{text}");
}
