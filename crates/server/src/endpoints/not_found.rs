//! What is not there: a page for people, JSON for programs.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json as object;

use crate::extract::wants_html;
use crate::pages::{ErrorKind, ErrorPage};
use crate::respond::json;
use crate::visit::{Form, Visit};

/// No such URL.
pub(crate) async fn no_page(headers: HeaderMap, visit: Visit) -> Response {
    if wants_html(&headers) {
        let page = ErrorPage::new(ErrorKind::NotFound);
        return visit.page_with(StatusCode::NOT_FOUND, &page, Form::none());
    }
    problem(StatusCode::NOT_FOUND, "not_found", "There is nothing at this URL.")
}

/// The URL is there, but not for this method.
pub(crate) async fn no_method(headers: HeaderMap, visit: Visit) -> Response {
    if wants_html(&headers) {
        let page = ErrorPage::new(ErrorKind::BadRequest);
        return visit.page_with(StatusCode::METHOD_NOT_ALLOWED, &page, Form::none());
    }
    let text = "This URL does not take requests of this method. The header Allow names those that it takes.";
    problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text)
}

fn problem(status: StatusCode, error: &str, text: &str) -> Response {
    let body = object!({ "error": error, "error_description": text, "message": text });
    json(status, &body).into_response()
}
