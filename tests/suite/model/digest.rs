//! SHA-256 digests.

use ftcheck::model::digest::Sha256;

/// The vector of FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_digest_is_that_of_the_standard() {
    assert_eq!(Sha256::of(b"abc").to_string(), ABC);
}

#[test]
fn a_digest_is_read_in_either_case_and_shown_in_lower() {
    assert_eq!(ABC.parse(), Ok(Sha256::of(b"abc")));
    let upper: Sha256 = ABC.to_uppercase().parse().unwrap();
    assert_eq!(upper.to_string(), ABC);
}

#[test]
fn a_digest_in_json_is_its_text() {
    let json = serde_json::to_string(&Sha256::of(b"abc")).unwrap();
    assert_eq!(json, format!("\"{ABC}\""));
    assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), Sha256::of(b"abc"));
    assert!(serde_json::from_str::<Sha256>("\"abc\"").is_err());
}

#[test]
fn other_texts_are_rejected_with_what_was_found() {
    for text in [
        String::new(),
        ABC[1..].to_owned(),
        format!("{ABC}0"),
        format!("sha256:{ABC}"),
        ABC.replace('b', "g"),
        // As many bytes as a digest has, in fewer characters.
        "é".repeat(32),
        format!("+{}", &ABC[1..]),
        format!(" {}", &ABC[1..]),
    ] {
        let problem = text.parse::<Sha256>().unwrap_err().to_string();
        assert!(problem.contains("64 hexadecimal digits"), "{problem}");
        assert!(problem.ends_with(&format!("found `{text}`")), "{problem}");
    }
}
