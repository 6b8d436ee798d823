//! How much a scan asks for: requests and bytes, counted, so that a change which makes it more is seen
//! wherever the tests run. How long it takes is measured by `cargo bench --bench scan`.

use super::{large_wheel, report, scan, wheel_of};
use crate::support::Sandbox;
use crate::support::index::{FakeIndex, Ranges};
use crate::support::wheel::{BuiltWheel, WheelBuilder, sha256_hex};

/// Bytes of the end of a wheel that are asked for first, where it has no more than a megabyte.
const TAIL: usize = 16 << 10;
/// What a module of the fixtures takes in a wheel at most, with what lies between two of them.
const MODULE: usize = 16 << 10;

/// A lock of these wheels, which the index serves.
fn lock(index: &FakeIndex, wheels: &[BuiltWheel]) -> String {
    let names = wheels.iter().map(|wheel| format!("    {{ name = \"{}\" }},\n", wheel.name));
    let mut lock = format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.14\"\n\n[[package]]\nname = \"app\"\n\
         version = \"0.1.0\"\nsource = {{ virtual = \".\" }}\ndependencies = [\n{}]\n\n",
        names.collect::<String>()
    );
    for wheel in wheels {
        lock += &super::lockfile::entry(index, wheel);
        index.add_file(wheel.clone());
    }
    lock
}

/// Large wheels, small ones, and ones without modules.
fn wheels(modules: &[&str]) -> Vec<BuiltWheel> {
    let pure = WheelBuilder::new("pure", "1.0").file("pure/__init__.py", "import large\n");
    let mut large_pure = WheelBuilder::new("large-pure", "1.0");
    for file in 0..40 {
        // Digests, which deflate to no less than half.
        let digests = (0..96).map(|part| sha256_hex(format!("{file} {part}").as_bytes()));
        let text = format!("# {}\n", digests.collect::<String>());
        large_pure = large_pure.file(&format!("large_pure/m{file}.py"), text);
    }
    vec![
        large_wheel("large", "1.0", modules),
        large_wheel("larger", "1.0", &["declares"]),
        wheel_of("small", "1.0", &["declares"]).build(),
        pure.build(),
        large_pure.build(),
    ]
}

fn asked(index: &FakeIndex) -> (usize, usize) {
    let requests = index.requests();
    assert!(requests.iter().all(|one| one.path.starts_with("/files/")), "{requests:#?}");
    (requests.len(), requests.iter().map(|one| one.body_bytes).sum())
}

#[test]
fn a_cold_scan_asks_once_for_a_small_wheel_and_twice_for_a_large_one() {
    let index = FakeIndex::builder().start();
    let sandbox = Sandbox::new();
    let wheels = wheels(&["declares"]);
    let small = wheels[2].bytes.len() + wheels[3].bytes.len();
    sandbox.write("uv.lock", lock(&index, &wheels));
    scan(&sandbox, &index, &[]).code(0);
    let (requests, bytes) = asked(&index);
    // The end and the modules of two; the small ones whole; of the large one without modules the end,
    // which holds its metadata too.
    assert_eq!(requests, 2 * 2 + 2 + 1, "{:#?}", index.requests());
    let bound = 3 * TAIL + 2 * MODULE + small;
    assert!(bytes <= bound, "{bytes} bytes, more than {bound}");
}

#[test]
fn of_a_larger_wheel_more_of_the_end_is_asked_for() {
    for (megabytes, tail) in [(0, 16 << 10), (3, 48 << 10), (9, 64 << 10)] {
        let index = FakeIndex::builder().start();
        let sandbox = Sandbox::new();
        let wheel = WheelBuilder::new("large", "1.0").stored();
        let wheel = wheel.file("large/data.bin", vec![7; (megabytes << 20) + 200_000]).build();
        let share = (wheel.bytes.len() / 64).clamp(16 << 10, 64 << 10);
        assert!((tail..=tail + 4096).contains(&share), "{share}");
        sandbox.write("uv.lock", lock(&index, &[wheel]));
        scan(&sandbox, &index, &[]).code(0);
        assert_eq!(asked(&index), (1, share), "{:#?}", index.requests());
    }
}

#[test]
fn a_warm_scan_asks_for_nothing() {
    let index = FakeIndex::builder().start();
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock(&index, &wheels(&["declares_used"])));
    report(&sandbox, &index, 1);
    index.clear_requests();
    report(&sandbox, &index, 1);
    report(&sandbox, &index, 1);
    assert_eq!(asked(&index), (0, 0), "{:#?}", index.requests());
}

#[test]
fn where_a_module_enables_the_gil_the_python_files_are_asked_for_once() {
    let index = FakeIndex::builder().start();
    let sandbox = Sandbox::new();
    let wheels = wheels(&["declares_used"]);
    sandbox.write("uv.lock", lock(&index, &wheels));
    report(&sandbox, &index, 1);
    let python = index.requests_for("large_pure");
    let received: usize = python.iter().map(|one| one.body_bytes).sum();
    assert_eq!(python.len(), 2, "the end, then what lies before it: {python:#?}");
    assert!(received <= wheels[4].bytes.len(), "no byte comes twice: {received}");
    let (requests, _) = asked(&index);
    assert_eq!(requests, 2 * 2 + 2 + 2, "the others hold none: {:#?}", index.requests());
}

#[test]
fn where_one_package_changed_only_it_is_asked_for() {
    let index = FakeIndex::builder().start();
    let sandbox = Sandbox::new();
    let mut wheels = wheels(&["declares_used"]);
    sandbox.write("uv.lock", lock(&index, &wheels));
    report(&sandbox, &index, 1);
    wheels[1] = large_wheel("larger", "2.0", &["declares"]);
    sandbox.write("uv.lock", lock(&index, &wheels));
    index.clear_requests();
    report(&sandbox, &index, 1);
    let (requests, bytes) = asked(&index);
    assert_eq!(requests, index.requests_for("larger-2.0").len(), "{:#?}", index.requests());
    assert_eq!(requests, 2, "its end, then its module");
    assert!(bytes <= TAIL + MODULE, "{bytes} bytes");
}

/// What was left of a wheel that came whole was its end, and the rest was asked for in parts, which such
/// a server does not have.
#[test]
fn python_files_of_a_server_without_ranges_are_read() {
    for ranges in [Ranges::Ignored, Ranges::NoSuffix] {
        let index = FakeIndex::builder().ranges(ranges).start();
        let sandbox = Sandbox::new();
        sandbox.write("uv.lock", lock(&index, &wheels(&["declares_used"])));
        let report = report(&sandbox, &index, 1);
        let packages = report["packages"].as_array().unwrap();
        let imports = packages.iter().flat_map(|one| one["imports"].as_array().unwrap());
        let reasons: Vec<&str> = imports.filter_map(|one| one["reason"].as_str()).collect();
        assert!(reasons.iter().all(|reason| !reason.contains("could not be read")), "{reasons:?}");
    }
}
