//! Where reports go: which form to the standard output, and which to which file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ftcheck::report::{self, Detail, Reporter};

use crate::Failure;
use crate::args::Reported;
use ftcheck::model::nearest::nearest;

/// What stands for the standard output.
const STANDARD_OUTPUT: &str = "-";

/// A form that a report is written in.
type Form<R> = &'static dyn Reporter<R>;

/// Where a report goes, and in which form.
pub(crate) struct Destinations<R: 'static> {
    /// What goes to the standard output, if anything.
    pub(crate) standard: Option<Form<R>>,
    /// What goes to files.
    pub(crate) files: Vec<(Form<R>, PathBuf)>,
}

impl<R: Reported> Destinations<R> {
    /// What `--format` and each `--output` come to.
    pub(crate) fn new(
        format: Option<&str>,
        outputs: &[PathBuf],
        detail: Detail,
    ) -> Result<Self, Failure> {
        let asked_for = format.and_then(by_name);
        let Some(default) = asked_for.or_else(|| R::FORMATS.first().copied()) else {
            return Err(Failure::new("no format is known"));
        };
        let mut files: Vec<(Form<R>, PathBuf)> = Vec::new();
        let mut standard = None;
        for output in outputs {
            let (form, file) = parse(output, asked_for, default)?;
            if file == Path::new(STANDARD_OUTPUT) {
                if standard.replace(form).is_some() {
                    return Err(Failure::new("expected one report for the standard output"));
                }
                continue;
            }
            if files.iter().any(|(_, other)| whole(other) == whole(&file)) {
                let problem = format!("expected each file once, found {} again", file.display());
                return Err(Failure::new(problem));
            }
            files.push((form, file));
        }
        let taken = files.iter().any(|(form, _)| form.name() == default.name());
        let wanted = outputs.is_empty() || asked_for.is_some() || detail > Detail::Quiet;
        if standard.is_none() && wanted && !taken {
            standard = Some(default);
        }
        Ok(Self { standard, files })
    }
}

impl<R> Destinations<R> {
    /// Tells early what would only fail after the whole run, and spares the files that are looked at.
    pub(crate) fn check<'a>(
        &self,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), Failure> {
        let inputs: Vec<&Path> = inputs.into_iter().collect();
        self.files.iter().try_for_each(|(_, file)| check_file(file, inputs.iter().copied()))
    }
}

/// The same for one file.
pub(crate) fn check_file<'a>(
    file: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let shown = file.display();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.is_dir() {
        return Err(Failure::new(format!("{shown}: expected a file to write, found a folder")));
    }
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!("{shown}: cannot be written: no such folder")));
    }
    let Ok(output) = std::fs::canonicalize(file) else { return Ok(()) };
    let is_output = |input: &Path| std::fs::canonicalize(input).is_ok_and(|input| input == output);
    if inputs.into_iter().any(is_output) {
        return Err(Failure::new(format!("{shown}: expected another file than the scanned one")));
    }
    Ok(())
}

fn by_name<R: Reported>(name: &str) -> Option<Form<R>> {
    R::FORMATS.iter().copied().find(|form| form.name() == name)
}

/// One `--output`: `FORMAT=FILE`, or a file whose suffix tells.
fn parse<R: Reported>(
    output: &Path,
    asked_for: Option<Form<R>>,
    default: Form<R>,
) -> Result<(Form<R>, PathBuf), Failure> {
    if let Some((name, file)) = output.to_str().and_then(|text| text.split_once('=')) {
        let Some(form) = by_name(name) else {
            // Anything else is part of a path.
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            if name.is_empty() || !name.chars().all(is_name) {
                return by_suffix(output, asked_for, default);
            }
            let names = R::FORMATS.iter().map(|form| form.name());
            let hint = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}={file}`?"),
                None => format!(
                    "forms are {}; a file of this name is `./{name}={file}`",
                    names.collect::<Vec<_>>().join(", ")
                ),
            };
            let problem = format!("--output: expected a form before `=`, found `{name}`");
            return Err(Failure::with_hint(problem, Some(hint)));
        };
        if file.is_empty() {
            return Err(Failure::new(format!("--output: expected a file behind `{name}=`")));
        }
        return Ok((form, PathBuf::from(file)));
    }
    by_suffix(output, asked_for, default)
}

/// The form by what the file's name ends in; that of `--format` where files of that form end so too,
/// or where the end names none.
fn by_suffix<R: Reported>(
    output: &Path,
    asked_for: Option<Form<R>>,
    default: Form<R>,
) -> Result<(Form<R>, PathBuf), Failure> {
    let name = output.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
    let name = name.unwrap_or_default();
    let longest = longest_suffix(R::FORMATS, &name);
    let form = match (asked_for, longest) {
        (Some(form), Some(suffix)) if form.suffixes().contains(&suffix) => form,
        (_, Some(suffix)) => {
            let form = R::FORMATS.iter().find(|form| form.suffixes().contains(&suffix));
            form.copied().unwrap_or(default)
        }
        (Some(form), None) => form,
        (None, None) => {
            // A form that other commands have, or none has, is not meant to be a table.
            let suffix = longest_suffix(report::FORMATS, &name);
            let suffix = suffix.or_else(|| name.rsplit_once('.').map(|(_, suffix)| suffix));
            if let Some(suffix) = suffix {
                let problem = format!("{}: this command has no form .{suffix}", output.display());
                let known = R::FORMATS.iter().flat_map(|form| form.suffixes());
                let known: Vec<String> = known.map(|suffix| format!(".{suffix}")).collect();
                let hint =
                    format!("files end in {}, or the form is named: FORMAT=FILE", known.join(", "));
                return Err(Failure::with_hint(problem, Some(hint)));
            }
            default
        }
    };
    Ok((form, output.to_owned()))
}

/// The longest suffix of any form that a name ends in.
fn longest_suffix<R>(forms: &[&dyn Reporter<R>], name: &str) -> Option<&'static str> {
    let ends = |suffix: &&&str| {
        name.strip_suffix(**suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    };
    let suffixes = forms.iter().flat_map(|form| form.suffixes());
    suffixes.filter(ends).max_by_key(|suffix| suffix.len()).copied()
}

/// A file by the folder it lies in, however it was named.
pub(crate) fn whole(file: &Path) -> PathBuf {
    if let Ok(whole) = std::fs::canonicalize(file) {
        return whole;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::canonicalize(folder.unwrap_or(Path::new(".")));
    match (folder, file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

/// Writes a file as a whole or not at all: beside it first, then in its place.
pub(crate) fn write_file(file: &Path, text: &[u8]) -> Result<(), Failure> {
    replace(file, text).map_err(|problem| {
        Failure::new(format!("{}: cannot be written: {problem}", file.display()))
    })
}

fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let file = match std::fs::canonicalize(file) {
        Ok(target) => target,
        Err(_) if file.is_symlink() => return std::fs::write(file, text),
        Err(_) => file.to_owned(),
    };
    let there = std::fs::metadata(&file).ok();
    if there.as_ref().is_some_and(|there| !there.is_file() || there.permissions().readonly()) {
        // Pipes and devices are written to, and what may not be written says so.
        return std::fs::write(&file, text);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ftcheck-");
    // As any new file: the process's mask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let Ok(mut beside) = builder.tempfile_in(folder.unwrap_or(Path::new("."))) else {
        // The folder may take no new file, and the file be written all the same.
        return std::fs::write(&file, text);
    };
    beside.write_all(text)?;
    if let Some(there) = there {
        beside.as_file().set_permissions(there.permissions())?;
    }
    beside.persist(&file).map_err(|problem| problem.error)?;
    Ok(())
}
