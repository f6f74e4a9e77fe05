//! Style sheet, mark and script, each under a path that changes with its content.

use std::borrow::Cow;

use rust_embed::{Embed, EmbeddedFile};

/// A static file.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    /// Its content.
    pub(crate) bytes: Cow<'static, [u8]>,
    /// For the `Content-Type` header.
    pub(crate) content_type: &'static str,
    /// The path named this very content, so a browser may keep it for ever. False for a path from
    /// another release of the server: it gets today's content, and must ask again.
    pub(crate) immutable: bool,
}

#[derive(Embed)]
#[folder = "src/static"]
struct Files;

/// The file at `<hash>/<name>`, the part of the URL path behind `/static/`.
pub(crate) fn asset(path: &str) -> Option<Asset> {
    let (hash, name) = path.split_once('/').filter(|(_, name)| !name.contains('/'))?;
    let content_type = content_type(name)?;
    let file = Files::get(name)?;
    let immutable = content_hash(&file) == hash;
    Some(Asset { bytes: file.data, content_type, immutable })
}

/// The URL path of the file called `name`.
pub(super) fn url(name: &str) -> Option<String> {
    Files::get(name).map(|file| format!("/static/{}/{name}", content_hash(&file)))
}

fn content_hash(file: &EmbeddedFile) -> String {
    file.metadata.sha256_hash().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {

    use super::{Files, asset, url};

    #[test]
    fn every_file_is_found_under_its_own_hash() {
        for name in Files::iter() {
            let path = url(&name).unwrap();
            let found = asset(path.strip_prefix("/static/").unwrap()).unwrap();
            assert!(found.immutable, "{path}");
            assert!(!found.bytes.is_empty(), "{path}");
        }
    }

    #[test]
    fn another_hash_is_not_kept_and_other_names_are_not_found() {
        assert!(!asset("0123456789abcdef/grantor.css").unwrap().immutable);
        for path in
            ["grantor.css", "x/", "x/none.css", "x/../mod.rs", "x/../static/grantor.css", ""]
        {
            assert!(asset(path).is_none(), "{path}");
        }
    }
}
