//! What the environment asks for, and what the terminal can do: colours, links, a moving bar.

use std::ffi::OsString;

/// Heeds `FORCE_COLOR`, which anstream does not know; `NO_COLOR` stands above it, as in Python, and
/// `--color` above both. `FORCE_COLOR=0` asks for none, as in Node's libraries.
pub(crate) fn heed_force_color() {
    if is_set("NO_COLOR") || !is_set("FORCE_COLOR") {
        return;
    }
    let choice = if is_on("FORCE_COLOR") {
        anstream::ColorChoice::Always
    } else {
        anstream::ColorChoice::Never
    };
    choice.write_global();
}

/// Whether the standard output shows links (OSC 8). `FORCE_HYPERLINK` decides where it is set.
pub(crate) fn shows_links() -> bool {
    !is_dumb() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout)
}

/// Whether a bar may move on the standard error. Where `CI` is set each of its steps would become a
/// line of the log, even where something claims to be a terminal. Whether it is one, the bar's own
/// library asks.
pub(crate) fn may_draw() -> bool {
    !is_on("CI") && !is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn is_set(name: &str) -> bool {
    value(name).is_some()
}

fn is_on(name: &str) -> bool {
    value(name).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
}
