//! What is said where there is no answer: in the words of the user's files, with the places.

use super::world::{answer, ask, constrained, overridden};

#[test]
fn two_lines_of_the_user() {
    insta::assert_snapshot!(answer("a 1\na 2", ask("a==1\na==2")));
}

#[test]
fn a_line_against_what_a_release_requires() {
    insta::assert_snapshot!(answer("a 1 | b>=2\na 1.5 | b>=2\nb 1\nb 2", ask("a\nb<2")));
}

#[test]
fn releases_against_each_other() {
    insta::assert_snapshot!(answer("a 1 | c>=2\nb 1 | c<2\nb 1.1 | c<2\nc 1\nc 2", ask("a\nb")));
}

#[test]
fn ranges_that_meet_where_no_release_is() {
    insta::assert_snapshot!(answer("a 1 | c>=1.5\nb 1 | c<2\nc 1\nc 2", ask("a\nb")));
}

#[test]
fn through_an_extra() {
    insta::assert_snapshot!(answer("a 1 | b>=2; extra == 'x'\nb 1\nb 2", ask("a[x]\nb==1")));
}

#[test]
fn through_a_constraint() {
    insta::assert_snapshot!(answer("a 1 | b>=2\nb 1\nb 2", constrained("a", "b<2")));
}

#[test]
fn a_line_against_a_constraint() {
    insta::assert_snapshot!(answer("b 1\nb 2", constrained("b>=2", "b<2")));
}

#[test]
fn through_an_override() {
    insta::assert_snapshot!(answer("a 1 | b\nb 1\nb 2\nc 1 | b>=7", overridden("a\nb>=1", "b==3")));
}

#[test]
fn no_release_fits_a_line() {
    insta::assert_snapshot!(answer("a 1", ask("a>=3")));
}

#[test]
fn no_release_fits_what_a_release_requires() {
    insta::assert_snapshot!(answer("a 1 | b~=3.1.0\na 2 | b~=3.1.0\nb 1", ask("a")));
}

#[test]
fn no_release_can_be_installed() {
    insta::assert_snapshot!(answer("a 1 windows\na 2 yanked\na 3 windows", ask("a")));
}

#[test]
fn a_long_chain() {
    let world = "
        a 1 | b>=1 & e>=2\na 2 | b>=1 & e>=2\nb 1 | c!=2.*\nb 2 | c==1.*\nc 1 | d<2
        c 1.5 | d<2,!=1.5\nd 1\nd 3 | e\ne 1\ne 2 | d>=3\ne 3 | d>=3";
    insta::assert_snapshot!(answer(world, ask("a\nd")));
}

#[test]
fn a_release_that_requires_what_cannot_be() {
    insta::assert_snapshot!(answer("a 1 | b>1 & b<1\nb 1", ask("a")));
}
