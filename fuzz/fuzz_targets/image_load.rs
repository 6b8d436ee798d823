//! Any bytes as a shared library: all that [`Image`] says of it is looked at.
//!
//! Where the file's own words are taken for addresses, the ways to look at memory there have to
//! agree: what a word or a text is, its page has as well.
#![no_main]

use ftcheck::inspect::image::{
    BASE, Export, Fixup, Format, Image, MAX_EXTENT, PAGE_SIZE, ReadError, shown,
};
use libfuzzer_sys::fuzz_target;

/// How many exports, words and so on are looked at: the rest is no different.
const SAMPLE: usize = 64;
const PAGE: u64 = PAGE_SIZE as u64;

fuzz_target!(|data: &[u8]| {
    let slices = Image::slices(data);
    assert!(slices.len() <= data.len() / 8 + 1, "{} slices", slices.len());
    for slice in slices {
        assert!(slice.len() <= data.len());
        if let Ok(image) = Image::load(slice) {
            walk(&image, slice);
        }
    }
});

fn walk(image: &Image<'_>, bytes: &[u8]) {
    assert_eq!(Some(image.format()), Format::of(bytes));
    assert!(!image.machine().name().is_empty());
    let mut addresses = Vec::new();
    for (name, place) in image.exports().take(SAMPLE) {
        assert!(image.export(name).is_some(), "`{name}` is listed and not found");
        match place {
            Export::At(address) => addresses.push(*address),
            Export::Elsewhere { library, name } => assert!(library.len() + name.len() > 0),
            Export::Chosen => {}
        }
    }
    // By number and by name on Windows, where each table has at most 65,536 entries.
    assert!(image.exports().count() <= bytes.len() + (2 << 16));
    assert!(image.imports().len() <= bytes.len().max(1 << 18));
    assert!(image.needed().count() <= bytes.len());
    assert!(image.search_paths().count() <= bytes.len());
    assert!(image.constructors().len() <= (1 << 16) + 1);
    addresses.extend(image.constructors().iter().take(SAMPLE));
    if let Some(template) = image.thread_template() {
        addresses.push(template.address);
        addresses.extend(template.index);
    }
    addresses.extend((0..8).map(|page| BASE + page * PAGE));
    let stride = (bytes.len() / SAMPLE).max(1);
    for at in (0..bytes.len()).step_by(stride) {
        if let Some(word) = bytes[at..].first_chunk() {
            let word = u64::from_le_bytes(*word);
            addresses.extend([word, BASE + word % MAX_EXTENT, BASE + word % (8 * PAGE)]);
        }
    }
    for address in addresses {
        look(image, address);
    }
}

fn look(image: &Image<'_>, address: u64) {
    assert!(shown(address).starts_with("0x"));
    let start = address / PAGE * PAGE;
    let mut page = [0; PAGE_SIZE];
    let mut fixups = 0;
    let mut unknown = Vec::new();
    let found = image.page(start, &mut page, |place, fixup| {
        fixups += 1;
        match fixup {
            Fixup::Address(value) | Fixup::Number(value) => return Some(value),
            Fixup::Import { index, .. } => assert!((index as usize) < image.imports().len()),
            _ => {}
        }
        unknown.push(place);
        None
    });
    // One may begin at each byte, and before the page too.
    assert!(fixups <= PAGE_SIZE + 7);
    let uncovered = match found {
        Ok(uncovered) => uncovered,
        Err(problem) => {
            assert_eq!(problem, ReadError::Outside(start));
            assert!(image.word(address).is_err(), "a word outside the image");
            assert!(image.text(address).is_err(), "a text outside the image");
            assert!(image.code(address).is_err(), "code outside the image");
            return;
        }
    };
    let mut behind = start;
    for range in &uncovered {
        assert!(behind <= range.start && range.start < range.end && range.end <= start + PAGE);
        behind = range.end;
    }
    let inside = (address - start) as usize;
    let is_covered = !uncovered.iter().any(|range| range.contains(&address));
    if let Ok(word) = image.word(address) {
        assert!(is_covered, "a word where no segment is");
        if let Some(there) = page[inside..].first_chunk() {
            assert_eq!(word, u64::from_le_bytes(*there), "at {}", shown(address));
        }
    }
    if let Ok(text) = image.text(address) {
        assert!(is_covered, "a text where no segment is");
        assert!(text.len() < 4096 && !text.contains('\0'));
        let length = text.len().min(PAGE_SIZE - inside);
        if !image.is_relocated(address, length as u64) {
            assert_eq!(&text.as_bytes()[..length], &page[inside..inside + length]);
        }
    }
    if let Ok(code) = image.code(address) {
        assert!(is_covered, "code where no segment is");
        let length = code.len().min(PAGE_SIZE - inside).min(15);
        if !image.is_relocated(address, length as u64) {
            assert_eq!(&code[..length], &page[inside..inside + length]);
        }
    }
}
