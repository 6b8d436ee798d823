//! Renders the pages of the fake index: HTML as PEP 503 has it and JSON as
//! PEP 691 and PEP 700 have it.

use serde_json::{Map, Value, json};

use super::index::IndexFile;
use super::wheel::sha256_hex;

const JSON_TYPE: &str = "application/vnd.pypi.simple.v1+json";
const LATEST_JSON_TYPE: &str = "application/vnd.pypi.simple.latest+json";
const HTML_TYPE: &str = "application/vnd.pypi.simple.v1+html";
const PLAIN_HTML_TYPE: &str = "text/html; charset=UTF-8";

/// Which kind of index to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// One that knows only `text/html` and does not look at `Accept`.
    Html,
    /// One that answers JSON to those who ask for it and HTML to others.
    Json,
}

/// The format of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageFormat {
    Json,
    Html,
    PlainHtml,
}

impl PageFormat {
    /// What the request may be answered with; nothing means 406.
    pub(super) fn choose(pages: Pages, accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept.filter(|_| pages == Pages::Json) else {
            return Some(Self::PlainHtml);
        };
        let json = quality(accept, &[JSON_TYPE, LATEST_JSON_TYPE]);
        let html = quality(accept, &[HTML_TYPE]);
        // Who accepts anything gets what browsers want, as on pypi.org.
        let plain_html = quality(accept, &["text/html", "text/*", "*/*"]);
        let best = json.max(html).max(plain_html);
        match best {
            best if best <= 0.0 => None,
            best if json >= best => Some(Self::Json),
            best if html >= best => Some(Self::Html),
            _ => Some(Self::PlainHtml),
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON_TYPE,
            Self::Html => HTML_TYPE,
            Self::PlainHtml => PLAIN_HTML_TYPE,
        }
    }
}

/// The highest weight `accept` gives to any of the media types, 0 when it names
/// none of them.
fn quality(accept: &str, media_types: &[&str]) -> f32 {
    accept
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next()?;
            media_types.iter().any(|wanted| wanted.eq_ignore_ascii_case(media_type)).then(|| {
                parts
                    .find_map(|parameter| parameter.strip_prefix("q="))
                    .map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0))
            })
        })
        .fold(0.0, f32::max)
}

/// What the index puts on its pages, apart from the files themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageOptions {
    pub(super) relative_urls: bool,
    pub(super) digests: bool,
    pub(super) core_metadata: bool,
}

/// The page of one project. `base_url` is the address of the server without a
/// slash at the end.
pub(super) fn project_page(
    format: PageFormat,
    options: PageOptions,
    base_url: &str,
    project: &str,
    files: &[IndexFile],
    status: Option<&(String, String)>,
) -> String {
    // Project pages are at /simple/PROJECT/, files at /files/FILENAME.
    let root = if options.relative_urls { "../.." } else { base_url };
    match format {
        PageFormat::Json => json_project_page(options, root, project, files, status),
        PageFormat::Html | PageFormat::PlainHtml => {
            let anchors: String =
                files.iter().map(|file| html_anchor(options, root, file)).collect();
            let page = html_document(&format!("Links for {project}"), &anchors);
            let Some((status, reason)) = status else { return page };
            let meta = |name: &str, content: &str| {
                let content = escape_html(content);
                format!("    <meta name=\"pypi:{name}\" content=\"{content}\">\n")
            };
            let stated = meta("project-status", status) + &meta("project-status-reason", reason);
            page.replace("  </head>", &format!("{stated}  </head>"))
        }
    }
}

/// The list of all projects, given by their normalised names.
pub(super) fn root_page<'name>(
    format: PageFormat,
    projects: impl Iterator<Item = &'name str>,
) -> String {
    match format {
        PageFormat::Json => {
            let projects: Vec<Value> = projects.map(|name| json!({ "name": name })).collect();
            json!({ "meta": { "api-version": "1.1" }, "projects": projects }).to_string()
        }
        PageFormat::Html | PageFormat::PlainHtml => {
            let anchors: String = projects
                .map(|name| format!("    <a href=\"/simple/{name}/\">{name}</a><br />\n"))
                .collect();
            html_document("Simple index", &anchors)
        }
    }
}

/// The path of a file below the root of the server.
pub(super) fn file_path(filename: &str) -> String {
    // Local versions put a `+` into file names, and pypi.org escapes it.
    let escaped = filename.replace('%', "%25").replace('+', "%2B").replace(' ', "%20");
    format!("/files/{escaped}")
}

fn html_document(title: &str, anchors: &str) -> String {
    let title = escape_html(title);
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    \
         <meta name=\"pypi:repository-version\" content=\"1.1\">\n    \
         <title>{title}</title>\n  </head>\n  <body>\n    <h1>{title}</h1>\n{anchors}  \
         </body>\n</html>\n"
    )
}

fn html_anchor(options: PageOptions, root: &str, file: &IndexFile) -> String {
    let mut href = format!("{root}{}", file_path(&file.filename));
    if options.digests {
        href.push_str(&format!("#sha256={}", file.sha256));
    }
    let mut attributes = format!("href=\"{}\"", escape_html(&href));
    if let Some(requires_python) = &file.requires_python {
        let escaped = escape_html(requires_python);
        attributes.push_str(&format!(" data-requires-python=\"{escaped}\""));
    }
    if let Some(reason) = &file.yanked {
        let escaped = escape_html(reason.as_deref().unwrap_or_default());
        attributes.push_str(&format!(" data-yanked=\"{escaped}\""));
    }
    if let Some(metadata) = file.metadata.as_ref().filter(|_| options.core_metadata) {
        let digest = sha256_hex(metadata);
        attributes.push_str(&format!(" data-core-metadata=\"sha256={digest}\""));
    }
    let text = escape_html(&file.filename);
    format!("    <a {attributes}>{text}</a><br />\n")
}

fn json_project_page(
    options: PageOptions,
    root: &str,
    project: &str,
    files: &[IndexFile],
    status: Option<&(String, String)>,
) -> String {
    let mut versions: Vec<&str> = files.iter().map(|file| file.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let files: Vec<Value> = files.iter().map(|file| json_file(options, root, file)).collect();
    let mut page = json!({
        "meta": { "api-version": "1.1" },
        "name": project,
        "versions": versions,
        "files": files,
    });
    if let Some((status, reason)) = status {
        page["project-status"] = json!({ "status": status, "reason": reason });
    }
    page.to_string()
}

fn json_file(options: PageOptions, root: &str, file: &IndexFile) -> Value {
    let mut hashes = Map::new();
    if options.digests {
        hashes.insert("sha256".to_owned(), json!(file.sha256));
    }
    let mut entry = json!({
        "filename": file.filename,
        "url": format!("{root}{}", file_path(&file.filename)),
        "hashes": hashes,
        "size": file.bytes.len(),
        "upload-time": file.upload_time,
        "yanked": match &file.yanked {
            None => json!(false),
            Some(None) => json!(true),
            Some(Some(reason)) => json!(reason),
        },
    });
    if let Some(requires_python) = &file.requires_python {
        entry["requires-python"] = json!(requires_python);
    }
    if let Some(metadata) = file.metadata.as_ref().filter(|_| options.core_metadata) {
        entry["core-metadata"] = json!({ "sha256": sha256_hex(metadata) });
    }
    entry
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
