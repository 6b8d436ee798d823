//! `ftcheck scan` as a user runs it, against the fake index.

mod access;
mod bad_input;
mod bad_wheels;
mod baseline;
mod cache;
mod cache_stress;
mod conda;
mod environments;
mod faults;
mod imports;
mod limits;
mod lockfile;
mod network;
mod outputs;
mod sources;
mod verdicts;
mod work;
mod zips;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::index::{FakeIndex, FakeIndexBuilder};
use crate::support::wheel::{BuiltWheel, WheelBuilder};
use crate::support::{Sandbox, fixture_module};

/// The platform of every scan here, so that the machine's own does not matter.
const PLATFORM: &str = "x86_64-manylinux_2_28";
/// The tag of a wheel for it.
const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";
const SUFFIX: &str = "cpython-314t-x86_64-linux-gnu.so";

/// A wheel that holds the given fixture modules, each under its own name.
fn wheel_of(name: &str, version: &str, modules: &[&str]) -> WheelBuilder {
    let mut wheel = WheelBuilder::new(name, version).tag(TAG);
    for module in modules {
        let path = format!("{module}.{SUFFIX}");
        wheel = wheel.file(&path, fixture_module("x86_64-linux-gnu", module));
    }
    wheel
}

/// The path of a fixture module inside [`wheel_of`]'s wheels.
fn member_of(module: &str) -> String {
    format!("{module}.{SUFFIX}")
}

/// A wheel too large to be fetched whole, for lack of anything that deflate could shrink.
fn large_wheel(name: &str, version: &str, modules: &[&str]) -> BuiltWheel {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        // xorshift: the bytes only have to be incompressible, and the same in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(400_000)
    .collect();
    let mut wheel = WheelBuilder::new(name, version).tag(TAG);
    wheel = wheel.file(&format!("{name}/data_a.bin"), noise.clone());
    for module in modules {
        wheel = wheel.file(&member_of(module), fixture_module("x86_64-linux-gnu", module));
    }
    wheel.file(&format!("{name}/data_b.bin"), noise).build()
}

/// Runs `ftcheck scan` in the sandbox for the fixed platform, with more arguments.
fn scan(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Assert {
    sandbox
        .command()
        .args(["scan", "--platform", PLATFORM, "--index-url", &index.simple_url()])
        .args(arguments)
        .assert()
}

/// The JSON report of a scan that ends with `code`.
fn report(sandbox: &Sandbox, index: &FakeIndex, code: i32) -> Value {
    let outcome = scan(sandbox, index, &["--format", "json"]).code(code);
    let report = serde_json::from_slice(&outcome.get_output().stdout).expect("the report is JSON");
    crate::report::schema::check(&report);
    report
}

/// Scans one requirement file with this text, against an index made by `build`.
fn report_of(
    requirements: &str,
    code: i32,
    build: impl FnOnce(FakeIndexBuilder) -> FakeIndexBuilder,
) -> Value {
    let index = build(FakeIndex::builder()).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", requirements);
    report(&sandbox, &index, code)
}

/// The entry of a package in a report.
fn package<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == name))
        .unwrap_or_else(|| panic!("no package {name} in {report:#}"))
}

/// The reason given for a package.
fn reason<'a>(report: &'a Value, name: &str) -> &'a str {
    package(report, name)["reason"].as_str().unwrap_or_else(|| panic!("no reason in {report:#}"))
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}
