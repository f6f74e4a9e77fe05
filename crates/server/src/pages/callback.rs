//! The demo's own redirect URI: what came back, and the command that goes on with it.

use serde::Serialize;

use super::{Page, text::HOSTILE};

/// The answer to an authorization request, in the query. What is in the fragment only the browser
/// sees: a script shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Callback {
    /// RFC 6749 §4.1.2.
    pub(crate) code: Option<String>,
    /// RFC 6749 §4.1.2.
    pub(crate) state: Option<String>,
    /// RFC 9207 §2.
    pub(crate) iss: Option<String>,
    /// RFC 6749 §4.1.2.1.
    pub(crate) error: Option<String>,
    /// RFC 6749 §4.1.2.1.
    pub(crate) error_description: Option<String>,
    /// How to go on with the code.
    pub(crate) redeem: Option<Redeem>,
}

/// How to go on with a code.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Redeem {
    /// For a shell.
    pub(crate) command: String,
}

impl Page for Callback {
    const TEMPLATE: &'static str = "callback.html";

    fn samples() -> Vec<Self> {
        let code = "grt_ac_AZqk3x7wfdOUjBq1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6A7B8C9D0E1F2G3H4I5J6";
        let command = format!(
            "curl -X POST http://localhost:5050/token \\\n  -d grant_type=authorization_code \\\n  \
             -d client_id=notes \\\n  -d client_secret=YOUR_CLIENT_SECRET \\\n  \
             -d redirect_uri=http://localhost:5050/callback \\\n  -d code={code}"
        );
        let came = Self {
            code: Some(code.to_owned()),
            state: Some("af0ifjsldkj".to_owned()),
            iss: Some("http://localhost:5050".to_owned()),
            redeem: Some(Redeem { command }),
            ..Self::default()
        };
        let refused = Self {
            error: Some("access_denied".to_owned()),
            error_description: Some("The person said no.".to_owned()),
            ..Self::default()
        };
        let hostile = Some(HOSTILE.to_owned());
        let hostile = Self {
            code: hostile.clone(),
            state: hostile.clone(),
            iss: hostile.clone(),
            error: hostile.clone(),
            error_description: hostile,
            redeem: None,
        };
        vec![came, refused, Self::default(), hostile]
    }
}
