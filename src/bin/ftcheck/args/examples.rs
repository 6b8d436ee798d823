//! What stands below the help of each command: how it is used, and how it ends.

macro_rules! exit_codes {
    (scan) => {
        "\
Exit codes:
  0  nothing found
  1  something enables the GIL or has no wheel (see --fail-on)
  2  the scan could not be made
  3  nothing worse found, but something could not be checked"
    };
    (advise) => {
        "\
Exit codes:
  0  nothing is in the way, and everything was checked
  1  there is something to do
  2  no advice could be given
  3  not everything could be told"
    };
    (diff) => {
        "\
Exit codes:
  0  nothing is worse than before
  1  something new enables the GIL or has no wheel (see --fail-on)
  2  the two could not be compared
  3  nothing new is worse, but something new could not be checked"
    };
    (cache) => {
        "\
Exit codes:
  0  done, or nothing is damaged
  1  something is damaged, or could not be removed
  2  the cache cannot be read"
    };
    (why) => {
        "\
Exit codes:
  0  the package is there
  1  it is not
  2  what would be installed could not be told"
    };
    (verify) => {
        "\
Exit codes:
  0  the interpreter does what ftcheck says
  1  it does otherwise
  2  the interpreter could not be asked
  3  nothing differs, but something was not observed or not told"
    };
    (inspect) => {
        "\
Exit codes:
  0  nothing enables the GIL
  1  something enables the GIL
  2  something could not be read
  3  nothing worse found, but something could not be told"
    };
}

pub(super) const PROGRAM: &str = "\
Examples:
  ftcheck scan                          what the project in this directory depends on
  ftcheck check numpy 'pandas<3'        packages by name
  ftcheck advise                        which releases keep the GIL off, and how to get them
  ftcheck diff --git origin/main        what a change does
  ftcheck inspect dist/*.whl            wheels before they are published
  ftcheck explain gil-enabled-on-import what a rule says, and what to do

`ftcheck help COMMAND` tells more of each.";

pub(super) const SCAN_EXIT_CODES: &str = exit_codes!(scan);

pub(super) const SCAN: &str = concat!(
    "\
Examples:
  ftcheck scan
      the project in this directory
  ftcheck scan requirements.txt requirements-dev.txt
      these files together
  ftcheck scan --all-groups --extra docs
      more of the project than is installed by default
  ftcheck scan --target 3.14t --target 3.15t --platform linux --platform macos
      side by side for two interpreters on two systems
  ftcheck scan --python .venv/bin/python
      what is installed there
  uv export --no-hashes | ftcheck scan -
      what another program writes

",
    exit_codes!(scan)
);

pub(super) const CHECK: &str = concat!(
    "\
Examples:
  ftcheck check numpy
      this package, and what it depends on
  ftcheck check --no-deps 'pandas[parquet]<3' lxml
      these packages alone
  ftcheck check --platform windows pyside6
      on another system

",
    exit_codes!(scan)
);

pub(super) const WHY_EXIT_CODES: &str = exit_codes!(why);

pub(super) const WHY: &str = concat!(
    "\
Examples:
  ftcheck why fonttools
      what leads to it from the project in this directory
  ftcheck why fonttools uv.lock --all-groups
      from this file, every group of it

",
    exit_codes!(why)
);

pub(super) const ADVISE_EXIT_CODES: &str = exit_codes!(advise);

pub(super) const ADVISE: &str = concat!(
    "\
Examples:
  ftcheck advise
      what to do about the project in this directory
  ftcheck advise uv.lock --target 3.15t
      for another interpreter
  ftcheck advise -v requirements.txt --format json
      every release that was looked at, for programs

",
    exit_codes!(advise)
);

pub(super) const DIFF_EXIT_CODES: &str = exit_codes!(diff);

pub(super) const DIFF: &str = concat!(
    "\
Examples:
  ftcheck diff --git origin/main
      what this branch does, from where it parted
  ftcheck diff --git HEAD uv.lock
      what is not committed yet
  ftcheck diff old.json new.json --format markdown
      two reports of `ftcheck scan --output`

",
    exit_codes!(diff)
);

pub(super) const CACHE_EXIT_CODES: &str = exit_codes!(cache);

pub(super) const CACHE: &str = concat!(
    "\
Examples:
  ftcheck cache dir
      where it is, for a CI that keeps it between runs
  ftcheck cache prune --older-than 30
      without what was written more than a month ago
  ftcheck cache verify
      whether every entry is whole

",
    exit_codes!(cache)
);

pub(super) const RULES: &str = "\
Examples:
  ftcheck rules
      the name of each rule, what it weighs, and what it finds";

pub(super) const EXPLAIN: &str = "\
Examples:
  ftcheck explain gil-enabled-on-import
      what that finding means, and what to do

`ftcheck rules` lists the rules.";

pub(super) const INSPECT_EXIT_CODES: &str = exit_codes!(inspect);

pub(super) const INSPECT: &str = concat!(
    "\
Examples:
  ftcheck inspect dist/*.whl
      wheels before they are published
  ftcheck inspect -v build/
      every module below a folder, with the evidence for its answer
  ftcheck inspect --python .venv/bin/python
      what is installed there

",
    exit_codes!(inspect)
);

pub(super) const VERIFY_EXIT_CODES: &str = exit_codes!(verify);

pub(super) const VERIFY: &str = concat!(
    "\
Examples:
  ftcheck verify --python .venv
      every module that is installed in this environment
  ftcheck verify --python python3.14t --write rows.jsonl
      what the interpreter did, kept

This runs the interpreter, and with it the code of whatever is installed there. No other command
runs anything.

",
    exit_codes!(verify)
);

pub(super) const COMPLETIONS: &str = "\
Examples:
  ftcheck completions bash > ~/.local/share/bash-completion/completions/ftcheck
  ftcheck completions zsh > ~/.zfunc/_ftcheck
      where ~/.zfunc is among the folders of $fpath
  ftcheck completions fish > ~/.config/fish/completions/ftcheck.fish
  ftcheck completions powershell >> $PROFILE";

pub(super) const MAN: &str = "\
Examples:
  ftcheck man | man -l -
      the page of the program
  ftcheck man --output ~/.local/share/man/man1
      the pages of every command, where man finds them: man ftcheck-scan";
