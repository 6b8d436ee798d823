//! What is linked: the part of `deny.toml` that can be checked without the network.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

fn configuration() -> toml::Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The packages that are compiled on this machine, as cargo knows them.
fn packages() -> Vec<Value> {
    let about = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let about = String::from_utf8(about).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", host, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reached: BTreeSet<String> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect();
    let mut packages = metadata["packages"].take();
    let packages = std::mem::take(packages.as_array_mut().unwrap()).into_iter();
    packages.filter(|one| reached.contains(one["id"].as_str().unwrap())).collect()
}

#[test]
fn every_licence_is_one_of_those_allowed() {
    let configuration = configuration();
    let allowed: BTreeSet<&str> = configuration["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    let packages = packages();
    assert!(packages.len() > 200, "found {}: does the test still read them?", packages.len());
    for package in packages {
        let name = format!("{} {}", package["name"], package["version"]);
        let license = package["license"].as_str().unwrap_or_else(|| panic!("{name} has none"));
        let license = Expression::parse_mode(license, ParseMode::LAX).unwrap();
        let is_allowed = license.evaluate(|one| allowed.contains(one.to_string().as_str()));
        assert!(is_allowed, "{name}: {license}");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let lock: toml::Table = lock.parse().unwrap();
    let banned = configuration()["bans"]["deny"].as_array().unwrap().clone();
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert!(banned.iter().all(|one| one["crate"].as_str() != Some(name)), "{name}");
        match package.get("source") {
            Some(source) => {
                let source = source.as_str().unwrap();
                assert!(source.starts_with("registry+"), "{name}: {source}");
                assert!(package.get("checksum").is_some(), "{name}");
            }
            None => assert!(name.starts_with("ftcheck"), "{name}"),
        }
    }
}
