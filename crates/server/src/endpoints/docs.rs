//! `GET /docs`: the same description to read.

use axum::response::Response;

use crate::visit::{Form, Visit};

/// The reference.
pub(crate) async fn page(visit: Visit) -> Response {
    visit.page(&visit.app.description.read().page, Form::none())
}
