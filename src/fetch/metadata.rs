//! What a wheel says it is: the files `METADATA` and `WHEEL` of its `.dist-info` folder.

use crate::model::wheel_filename::WheelFilename;

/// The two members, by index: `METADATA`, then `WHEEL`.
///
/// # Errors
/// Where one of them is missing, without which no installer takes the wheel.
pub fn members(names: &[String], wheel: &WheelFilename) -> Result<[usize; 2], String> {
    let find = |name: &str| {
        names
            .iter()
            .position(|member| {
                member
                    .split_once('/')
                    .is_some_and(|(folder, rest)| folder.ends_with(".dist-info") && rest == name)
            })
            .ok_or_else(|| format!("damaged wheel: `{wheel}` has no {name} in a .dist-info folder"))
    };
    Ok([find("METADATA")?, find("WHEEL")?])
}

/// Checks the text of both against the wheel's name.
///
/// # Errors
/// Where an installer would refuse the wheel.
pub fn check(metadata: &[u8], wheel_file: &[u8], wheel: &WheelFilename) -> Result<(), String> {
    check_identity(metadata, wheel)?;
    check_wheel_version(wheel_file)
}

/// The classifiers on free threading that a `METADATA` file carries; none where it cannot be read.
#[must_use]
pub fn free_threading_classifiers(metadata: &[u8]) -> Vec<String> {
    use mailparse::MailHeaderMap as _;
    let Ok((headers, _)) = mailparse::parse_headers(metadata) else { return Vec::new() };
    let is_one =
        |text: &String| text.starts_with("Programming Language :: Python :: Free Threading");
    headers.get_all_values("Classifier").into_iter().filter(is_one).collect()
}

/// The tags that a `WHEEL` file states, one of each kind; none where it cannot be read.
#[must_use]
pub fn tags(wheel_file: &[u8]) -> Vec<String> {
    use mailparse::MailHeaderMap as _;
    let Ok((headers, _)) = mailparse::parse_headers(wheel_file) else { return Vec::new() };
    headers.get_all_values("Tag")
}

/// Checks that name and version inside are those of the file name.
///
/// # Errors
/// Where they are not, so that installers refuse the wheel.
pub fn check_identity(text: &[u8], wheel: &WheelFilename) -> Result<(), String> {
    let name = header(text, "Name")?;
    let version = header(text, "Version")?;
    let same_name = name.parse::<pep508_rs::PackageName>().is_ok_and(|name| name == wheel.name);
    let same_version =
        version.parse::<pep440_rs::Version>().is_ok_and(|version| version == wheel.version);
    if same_name && same_version {
        return Ok(());
    }
    Err(format!(
        "damaged wheel: expected METADATA of {} {}, found that of {name} {version}",
        wheel.name, wheel.version
    ))
}

/// Installers refuse a major version of the format that they do not know (PEP 427).
fn check_wheel_version(text: &[u8]) -> Result<(), String> {
    let version = header(text, "Wheel-Version")?;
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(format!("expected a wheel of format 1, found Wheel-Version `{version}`"))
}

fn header(text: &[u8], name: &str) -> Result<String, String> {
    use mailparse::MailHeaderMap as _;
    let (headers, _) = mailparse::parse_headers(text)
        .map_err(|problem| format!("damaged wheel: its metadata cannot be read: {problem}"))?;
    headers
        .get_first_value(name)
        .map(|value| value.trim().to_owned())
        .ok_or_else(|| format!("damaged wheel: its metadata has no `{name}`"))
}
