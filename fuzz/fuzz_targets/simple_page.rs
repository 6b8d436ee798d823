//! Any text as a page of a simple index, HTML or JSON: its first byte tells which.
#![no_main]

use ftcheck::fetch::simple::ProjectPage;
use libfuzzer_sys::fuzz_target;
use url::Url;

const TYPES: [&str; 2] = ["text/html", "application/vnd.pypi.simple.v1+json"];

fuzz_target!(|input: (u8, &str)| {
    let content_type = TYPES[usize::from(input.0) % TYPES.len()];
    let url = Url::parse("https://index.example/simple/spam/").expect("a URL");
    let name = "spam".parse().expect("a name");
    match ProjectPage::parse(input.1, content_type, &url, &name) {
        Ok(page) => {
            for file in &page.files {
                assert!(!file.kind.filename().is_empty(), "{file:?}");
                // What is fetched is no file of this machine.
                assert_ne!(file.url.scheme(), "file", "{file:?}");
            }
        }
        Err(problem) => assert!(!problem.trim().is_empty()),
    }
});
