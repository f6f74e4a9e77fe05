//! `GET /static/…`: style sheet, mark and scripts.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::pages::asset;

/// The file at `path`.
pub(crate) async fn read(Path(path): Path<String>) -> Response {
    let Some(asset) = asset(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, keep),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.bytes.into_owned()).into_response()
}
