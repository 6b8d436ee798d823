//! PEP 503 project pages: one anchor for each file.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use url::Url;

use super::Link;
use crate::model::distribution::MetadataFile;
use crate::model::index::ProjectStatus;
use crate::model::location::last_segment;

/// What stands on a page.
pub(super) fn read(body: &str, page: &Url) -> (Vec<Link>, ProjectStatus) {
    let collector = Collector { tags: RefCell::default() };
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(body));
    let tokenizer = Tokenizer::new(collector, TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();

    let mut base = page.clone();
    let mut links = Vec::new();
    let (mut status, mut reason) = (None, None);
    for tag in tokenizer.sink.tags.take() {
        if &*tag.name == "meta" {
            let content = attribute(&tag, "content").map(str::to_owned);
            match attribute(&tag, "name") {
                Some("pypi:project-status") => status = content,
                Some("pypi:project-status-reason") => reason = content,
                _ => {}
            }
            continue;
        }
        let Some(link) = attribute(&tag, "href") else { continue };
        let Ok(mut url) = base.join(link) else { continue };
        if &*tag.name == "base" {
            base = url;
            continue;
        }
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        links.push(Link {
            filename: last_segment(&url),
            url,
            sha256: fragment.and_then(|fragment| fragment.strip_prefix("sha256=")?.parse().ok()),
            size: None,
            requires_python: attribute(&tag, "data-requires-python").map(str::to_owned),
            // Any value, even none, withdraws the file (PEP 592).
            yanked: attribute(&tag, "data-yanked").is_some(),
            metadata: attribute(&tag, "data-core-metadata")
                .or_else(|| attribute(&tag, "data-dist-info-metadata"))
                .map(metadata_file)
                .unwrap_or_default(),
        });
    }
    (links, ProjectStatus::new(status.as_deref().unwrap_or_default(), reason.as_deref()))
}

/// `true`, or a digest such as `sha256=…` (PEP 714).
fn metadata_file(value: &str) -> MetadataFile {
    if value.eq_ignore_ascii_case("false") {
        return MetadataFile::Absent;
    }
    let digest = value.strip_prefix("sha256=").and_then(|digest| digest.parse().ok());
    MetadataFile::Present(digest)
}

fn attribute<'tag>(tag: &'tag Tag, name: &str) -> Option<&'tag str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|found| &*found.value)
}

/// Keeps the tags that say something: anchors, the base they are relative to, and what is said of
/// the page.
struct Collector {
    tags: RefCell<Vec<Tag>>,
}

impl TokenSink for Collector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
            && matches!(&*tag.name, "a" | "base" | "meta")
        {
            self.tags.borrow_mut().push(tag);
        }
        TokenSinkResult::Continue
    }
}
