//! The environment: variables, and where the configuration files of uv and pip lie on each system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variables and folders of a process.
#[derive(Clone, Default)]
pub struct Environment {
    /// Its variables. Some hold passwords, so that they are not shown.
    pub variables: BTreeMap<String, String>,
    /// The user's own folder.
    pub home: Option<PathBuf>,
    /// What paths are seen from.
    pub folder: PathBuf,
    /// uv's files of the user, then of the system.
    pub uv_files: Vec<PathBuf>,
    /// pip's files, the least important first: of the system, of the user, of the environment.
    pub pip_files: Vec<PathBuf>,
}

/// A kind of operating system, by where it keeps configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, and whatever is like it.
    Unix,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// That of this machine.
    #[must_use]
    pub fn here() -> Self {
        match std::env::consts::OS {
            "windows" => Self::Windows,
            "macos" => Self::MacOs,
            _ => Self::Unix,
        }
    }
}

impl Environment {
    /// That of this process. Variables that are not Unicode are none that uv or pip would read.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = etcetera::home_dir().ok();
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self::on(System::here(), variables, home, folder)
    }

    /// That of a process on a system of some kind.
    #[must_use]
    pub fn on(
        system: System,
        variables: BTreeMap<String, String>,
        home: Option<PathBuf>,
        folder: PathBuf,
    ) -> Self {
        let mut environment =
            Self { variables, home, folder, uv_files: Vec::new(), pip_files: Vec::new() };
        environment.uv_files = environment.places_of_uv(system);
        environment.pip_files = environment.places_of_pip(system);
        environment
    }

    /// A variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// A variable that names a file.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|text| self.folder.join(text))
    }

    /// The user's file of credentials: `NETRC`, else `.netrc` or `_netrc` at home.
    #[must_use]
    pub fn netrc(&self) -> Option<PathBuf> {
        if let Some(path) = self.path("NETRC") {
            return Some(path);
        }
        let home = self.home.as_deref()?;
        [".netrc", "_netrc"].map(|name| home.join(name)).into_iter().find(|path| path.is_file())
    }

    /// `XDG_CONFIG_HOME`, else `.config` at home.
    fn user_config(&self) -> Option<PathBuf> {
        let stated = self.get("XDG_CONFIG_HOME").map(PathBuf::from);
        stated
            .filter(|path| path.is_absolute())
            .or_else(|| Some(self.home.as_ref()?.join(".config")))
    }

    fn system_configs(&self) -> Vec<PathBuf> {
        let stated = self.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
        stated.split(':').filter(|path| path.starts_with('/')).map(PathBuf::from).collect()
    }

    /// Where uv looks: the user's file, then that of the system, of several the first.
    fn places_of_uv(&self, system: System) -> Vec<PathBuf> {
        const FILE: &str = "uv/uv.toml";
        let (user, of_system) = if system == System::Windows {
            let drive = self.get("SYSTEMDRIVE").unwrap_or("C:");
            let program_data = PathBuf::from(format!("{drive}\\ProgramData"));
            (vec![self.get("APPDATA").map(PathBuf::from)], vec![program_data])
        } else {
            let library = self.home.as_ref().map(|home| home.join("Library/Application Support"));
            let library = library.filter(|_| system == System::MacOs);
            let mut of_system = self.system_configs();
            of_system.push(PathBuf::from("/etc"));
            (vec![self.user_config(), library], of_system)
        };
        let first = |folders: Vec<PathBuf>| {
            let mut files: Vec<PathBuf> = folders.iter().map(|folder| folder.join(FILE)).collect();
            let found = files.iter().position(|path| path.is_file()).unwrap_or(0);
            (found < files.len()).then(|| files.swap_remove(found))
        };
        let user = first(user.into_iter().flatten().collect());
        user.into_iter().chain(first(of_system)).collect()
    }

    /// Where pip looks, the least important first.
    fn places_of_pip(&self, system: System) -> Vec<PathBuf> {
        let name = if system == System::Windows { "pip.ini" } else { "pip.conf" };
        let in_pip = |folder: &Path| folder.join("pip").join(name);
        let mut files = Vec::new();
        match system {
            System::Unix => {
                files.extend(self.system_configs().iter().map(|folder| in_pip(folder)));
                files.push(PathBuf::from("/etc/pip.conf"));
            }
            System::MacOs => files.push(in_pip(Path::new("/Library/Application Support"))),
            System::Windows => {
                let data = self.get("ALLUSERSPROFILE").unwrap_or("C:\\ProgramData");
                files.push(in_pip(Path::new(data)));
            }
        }
        if let Some(home) = &self.home {
            // The older place, where both exist the less important one.
            let older = if system == System::Windows { "pip" } else { ".pip" };
            files.push(home.join(older).join(name));
            let library = home.join("Library/Application Support");
            if system == System::MacOs && library.join("pip").is_dir() {
                files.push(in_pip(&library));
            } else if system != System::Windows {
                files.extend(self.user_config().map(|folder| in_pip(&folder)));
            }
        }
        if system == System::Windows {
            files.extend(self.get("APPDATA").map(|folder| in_pip(Path::new(folder))));
        }
        files.extend(self.path("VIRTUAL_ENV").map(|folder| folder.join(name)));
        files
    }
}
