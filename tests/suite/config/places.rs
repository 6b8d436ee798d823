//! Where the files of uv and pip lie on each system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ftcheck::config::{Environment, System};

fn places(system: System, variables: &[(&str, &str)]) -> Environment {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Environment::on(system, variables, Some(PathBuf::from("/home/u")), PathBuf::from("/project"))
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string().replace('\\', "/")).collect()
}

#[test]
fn on_linux() {
    let found = places(System::Unix, &[("VIRTUAL_ENV", "/venv")]);
    assert_eq!(
        texts(&found.pip_files),
        [
            "/etc/xdg/pip/pip.conf",
            "/etc/pip.conf",
            "/home/u/.pip/pip.conf",
            "/home/u/.config/pip/pip.conf",
            "/venv/pip.conf",
        ]
    );
    assert_eq!(texts(&found.uv_files)[0], "/home/u/.config/uv/uv.toml");
    let found = places(System::Unix, &[("XDG_CONFIG_HOME", "/conf"), ("XDG_CONFIG_DIRS", "/a:/b")]);
    assert_eq!(texts(&found.uv_files)[0], "/conf/uv/uv.toml");
    assert_eq!(
        texts(&found.pip_files)[..2],
        ["/a/pip/pip.conf".to_owned(), "/b/pip/pip.conf".to_owned()]
    );
    assert!(texts(&found.pip_files).contains(&"/conf/pip/pip.conf".to_owned()));
}

#[test]
fn on_macos() {
    let found = places(System::MacOs, &[]);
    assert_eq!(
        texts(&found.pip_files),
        [
            "/Library/Application Support/pip/pip.conf",
            "/home/u/.pip/pip.conf",
            "/home/u/.config/pip/pip.conf",
        ]
    );
    assert_eq!(texts(&found.uv_files)[0], "/home/u/.config/uv/uv.toml");
}

#[test]
fn on_windows() {
    let found =
        places(System::Windows, &[("APPDATA", "C:/Roaming"), ("ALLUSERSPROFILE", "C:/All")]);
    assert_eq!(
        texts(&found.pip_files),
        ["C:/All/pip/pip.ini", "/home/u/pip/pip.ini", "C:/Roaming/pip/pip.ini"]
    );
    assert_eq!(texts(&found.uv_files), ["C:/Roaming/uv/uv.toml", "C:/ProgramData/uv/uv.toml"]);
}

#[test]
fn without_a_home_only_the_system_is_left() {
    let found = Environment::on(System::Unix, BTreeMap::new(), None, PathBuf::from("/project"));
    assert_eq!(texts(&found.pip_files), ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"]);
    assert_eq!(found.netrc(), None);
    assert_eq!(found.folder, Path::new("/project"));
}
