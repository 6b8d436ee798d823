//! What a file name on an index page says.

use std::str::FromStr as _;

use ftcheck::model::distribution::{DistributionKind, SourceFilename};
use pep508_rs::PackageName;

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

#[test]
fn a_source_distribution_tells_its_version() {
    for (filename, project, version) in [
        // PEP 625.
        ("spam-1.0.tar.gz", "spam", "1.0"),
        ("zope_interface-7.2.tar.gz", "zope-interface", "7.2"),
        // Older forms: dots and hyphens in the name, other archives.
        ("zope.interface-7.2.zip", "zope-interface", "7.2"),
        ("Zope-Interface-7.2.tar.bz2", "zope-interface", "7.2"),
        ("python-dateutil-2.9.0.post0.tar.gz", "python-dateutil", "2.9.0.post0"),
        ("spam-1.0.tar.xz", "spam", "1.0"),
        ("spam-1.0.tgz", "spam", "1.0"),
        ("spam-1.0rc1.tar.gz", "spam", "1.0rc1"),
        ("spam-1!2.0+local.1.tar.gz", "spam", "1!2.0+local.1"),
        // Versions that hold a hyphen themselves.
        ("spam-1.0-rc1.tar.gz", "spam", "1.0rc1"),
        ("spam-1.0-1.tar.gz", "spam", "1.0.post1"),
        // A name that ends in a number.
        ("s-2-1.0.tar.gz", "s-2", "1.0"),
        ("python-3-tools-3.tar.gz", "python-3-tools", "3"),
    ] {
        let source = SourceFilename::parse(filename, &name(project))
            .unwrap_or_else(|| panic!("{filename} was not read"));
        assert_eq!(source.version.to_string(), version, "{filename}");
    }
}

#[test]
fn what_is_no_source_distribution_of_the_project_is_none() {
    for (filename, project) in [
        ("spam-1.0.tar.gz", "eggs"),
        ("spam-eggs-1.0.tar.gz", "spam"),
        ("spam-1.0.tar.gz", "spam-eggs"),
        ("spam.tar.gz", "spam"),
        ("spam-.tar.gz", "spam"),
        ("-1.0.tar.gz", "spam"),
        ("spam-one.tar.gz", "spam"),
        ("spam-1.0.exe", "spam"),
        ("spam-1.0.tar.gz.asc", "spam"),
        ("spam-1.0-py3.11.egg", "spam"),
        ("spam-1.0.whl", "spam"),
        ("", "spam"),
    ] {
        assert_eq!(SourceFilename::parse(filename, &name(project)), None, "{filename}");
    }
}

#[test]
fn a_file_is_a_wheel_or_a_source_distribution_or_nothing() {
    let project = name("zope-interface");
    let kind = |filename| DistributionKind::parse(filename, &project);

    let wheel = "zope_interface-7.2-cp314-cp314t-win_amd64.whl";
    let parsed = kind(wheel).unwrap();
    assert!(matches!(parsed, DistributionKind::Wheel(_)));
    assert_eq!(parsed.filename(), wheel);
    assert_eq!(parsed.version().to_string(), "7.2");

    let source = "zope.interface-7.2.tar.gz";
    let parsed = kind(source).unwrap();
    assert!(matches!(parsed, DistributionKind::Source(_)));
    assert_eq!(parsed.filename(), source);
    assert_eq!(parsed.version().to_string(), "7.2");

    for other in [
        "spam-7.2-py3-none-any.whl",
        "spam-7.2.tar.gz",
        "zope_interface-7.2-py3.whl",
        "zope.interface-7.2-py2.7.egg",
        "zope.interface-7.2.win32-py3.3.exe",
        "zope_interface-7.2-py3-none-any.whl.metadata",
    ] {
        assert_eq!(kind(other), None, "{other}");
    }
}
