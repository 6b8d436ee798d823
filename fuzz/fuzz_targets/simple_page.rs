//! Any text as a page of a simple index, HTML or JSON: its first byte tells which.
#![no_main]

use ftcheck::fetch::simple::kept::ProjectPage;
use libfuzzer_sys::fuzz_target;
use url::Url;

const TYPES: [&str; 2] = ["text/html", "application/vnd.pypi.simple.v1+json"];

fuzz_target!(|input: (u8, &str)| {
    let content_type = TYPES[usize::from(input.0) % TYPES.len()];
    let url = Url::parse("https://index.example/simple/spam/").expect("a URL");
    let name = "spam".parse().expect("a name");
    match ProjectPage::parse(input.1, content_type, &url, &name) {
        Ok(page) => {
            let files = page.files();
            for version in files.versions() {
                let of_release = files.of_release(version);
                assert!(!of_release.is_empty(), "{version}");
                for file in &of_release {
                    assert_eq!(file.kind.version(), version, "{file:?}");
                    assert!(!file.kind.filename().is_empty(), "{file:?}");
                    // What is fetched is no file of this machine.
                    assert_ne!(file.url.scheme(), "file", "{file:?}");
                }
            }
        }
        Err(problem) => assert!(!problem.trim().is_empty()),
    }
});
