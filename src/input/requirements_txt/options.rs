//! The options that pip reads in requirements files, as its option parser reads them.

/// An option, with what it means to a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Requirement,
    Constraint,
    Editable,
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    Prereleases,
    AllReleases,
    OnlyFinal,
    PreferBinary,
    NoBinary,
    OnlyBinary,
    Hash,
    /// Nothing: it changes neither which files are installed nor where they are from.
    Nothing,
}

struct Known {
    names: &'static [&'static str],
    takes_value: bool,
    meaning: Meaning,
}

const fn known(names: &'static [&'static str], takes_value: bool, meaning: Meaning) -> Known {
    Known { names, takes_value, meaning }
}

/// pip's `SUPPORTED_OPTIONS` and `SUPPORTED_OPTIONS_REQ`.
const OPTIONS: &[Known] = &[
    known(&["-r", "--requirement"], true, Meaning::Requirement),
    known(&["-c", "--constraint"], true, Meaning::Constraint),
    known(&["-e", "--editable"], true, Meaning::Editable),
    known(&["-i", "--index-url", "--pypi-url"], true, Meaning::IndexUrl),
    known(&["--extra-index-url"], true, Meaning::ExtraIndexUrl),
    known(&["--no-index"], false, Meaning::NoIndex),
    known(&["-f", "--find-links"], true, Meaning::FindLinks),
    known(&["--pre"], false, Meaning::Prereleases),
    known(&["--all-releases"], true, Meaning::AllReleases),
    known(&["--only-final"], true, Meaning::OnlyFinal),
    known(&["--prefer-binary"], false, Meaning::PreferBinary),
    known(&["--no-binary"], true, Meaning::NoBinary),
    known(&["--only-binary"], true, Meaning::OnlyBinary),
    known(&["--hash"], true, Meaning::Hash),
    known(&["-C", "--config-setting", "--config-settings"], true, Meaning::Nothing),
    known(&["--require-hashes"], false, Meaning::Nothing),
    known(&["--no-require-hashes"], false, Meaning::Nothing),
    known(&["--trusted-host"], true, Meaning::Nothing),
    known(&["--use-feature"], true, Meaning::Nothing),
    known(&["--disable-pip-version-check"], false, Meaning::Nothing),
];

/// One option of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// As it is written.
    pub(super) name: String,
    pub(super) meaning: Meaning,
    pub(super) value: String,
}

/// Reads the options of a line.
///
/// # Errors
/// Where one is not known, has no value, or a quotation mark is not closed.
pub(super) fn read(line: &str) -> Result<Vec<Given>, String> {
    let (name, _, rest) = leading(line);
    // Whatever stands behind is the path, with its marker.
    let whole = find(name).ok().filter(|known| {
        matches!(known.meaning, Meaning::Requirement | Meaning::Constraint | Meaning::Editable)
    });
    if let Some(known) = whole.filter(|_| !rest.trim_start().starts_with(['"', '\''])) {
        let (name, value) = (name.to_owned(), rest.trim().to_owned());
        if value.is_empty() {
            return Err(format!("expected something behind `{name}`"));
        }
        return Ok(vec![Given { name, meaning: known.meaning, value }]);
    }
    let words = shlex::split(line).ok_or("a quotation mark is not closed")?;
    let mut words = words.into_iter();
    let mut given = Vec::new();
    while let Some(word) = words.next() {
        let (name, value, _) = leading(&word);
        let known = find(name)?;
        let value = match (known.takes_value, value) {
            (true, Some(value)) => value.to_owned(),
            (true, None) => words.next().unwrap_or_default(),
            (false, None) => String::new(),
            (false, Some(_)) => return Err(format!("the option `{name}` takes no value")),
        };
        if known.takes_value && value.is_empty() {
            return Err(format!("expected something behind `{name}`"));
        }
        given.push(Given { name: name.to_owned(), meaning: known.meaning, value });
    }
    Ok(given)
}

/// An option's name, the value joined to it, and what stands behind its name in any case:
/// `-rfile`, `-r file`, `--requirement file` and `--requirement=file`.
fn leading(text: &str) -> (&str, Option<&str>, &str) {
    if text.starts_with("--") {
        let end = text.find(|letter: char| letter.is_whitespace() || letter == '=');
        let (name, rest) = end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""));
        let value = rest.strip_prefix('=');
        return (name, value, value.unwrap_or(rest));
    }
    let (name, rest) = text.split_at_checked(2).unwrap_or((text, ""));
    (name, Some(rest).filter(|rest| !rest.is_empty()), rest)
}

/// An option of that name, or the one that begins so, as Python's `optparse` has it.
fn find(name: &str) -> Result<&'static Known, String> {
    let exact = OPTIONS.iter().find(|known| known.names.contains(&name));
    if let Some(known) = exact {
        return Ok(known);
    }
    let begins = |known: &&Known| known.names.iter().any(|full| full.starts_with(name));
    let mut matching = OPTIONS.iter().filter(begins).filter(|_| name.len() > 2);
    match (matching.next(), matching.next()) {
        (Some(known), None) => Ok(known),
        _ => Err(format!("expected an option that pip reads in such files, found `{name}`")),
    }
}
