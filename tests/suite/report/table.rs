//! The table at a terminal, without colours.

use insta::assert_snapshot;

use super::{everything, written};

#[test]
fn everything_in_the_table() {
    assert_snapshot!(written("table", &everything()));
}
