//! Where poetry takes packages from.

use url::Url;

use super::super::super::InputError;
use super::super::super::collect::Collector;
use super::super::super::document::Table;
use crate::model::index::{IndexSource, IndexStrategy};

/// `[[tool.poetry.source]]`. Primary ones stand in place of PyPI and are asked all together;
/// supplemental ones are asked for what those do not have; explicit ones where they are named.
pub(super) fn read(poetry: Table<'_>, collector: &mut Collector) -> Result<(), InputError> {
    const PUBLIC: &str = "https://pypi.org/simple/";
    let (mut primary, mut supplemental, mut explicit) = (Vec::new(), Vec::new(), Vec::new());
    for item in poetry.list("source")? {
        let table = item.table()?;
        let name = table.text("name")?.unwrap_or_default();
        let is_public = name.eq_ignore_ascii_case("pypi");
        let (place, text) = match table.get("url") {
            Some(url) => (url, url.text()?),
            None if is_public => (item, PUBLIC),
            None => return Err(item.error("expected a `url` for the source, found none")),
        };
        let url =
            Url::parse(text).map_err(|_| place.error(format!("expected a URL, found `{text}`")))?;
        let name = Some(name.to_owned());
        let source = IndexSource { name, ..IndexSource::new(url) };
        let priority = table.text("priority")?;
        let is_secondary = table.flag("secondary")?.unwrap_or_default();
        match priority {
            Some("explicit") => explicit.push(IndexSource { explicit: true, ..source }),
            Some("supplemental" | "secondary") => supplemental.push(source),
            Some("default") => primary.insert(0, source),
            None if is_secondary => supplemental.push(source),
            _ => primary.push(source),
        }
    }
    if primary.is_empty() && supplemental.is_empty() {
        collector.indexes.indexes.extend(explicit);
        return Ok(());
    }
    if primary.is_empty() {
        let url =
            Url::parse(PUBLIC).map_err(|_| InputError::at(poetry.location(), "expected a URL"))?;
        let name = Some("PyPI".to_owned());
        primary.push(IndexSource { name, ..IndexSource::new(url) });
    }
    let strategy =
        if supplemental.is_empty() { IndexStrategy::BestMatch } else { IndexStrategy::FirstIndex };
    let mut indexes = primary;
    indexes.extend(supplemental);
    if let Some(last) = indexes.last_mut() {
        last.is_default = true;
    }
    collector.indexes.strategy = Some(strategy);
    collector.indexes.indexes.extend(indexes.into_iter().chain(explicit));
    Ok(())
}
