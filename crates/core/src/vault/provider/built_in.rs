//! The descriptions that are built in.

/// Name and text of each.
pub(crate) const TEXTS: [(&str, &str); 3] = [
    ("google", include_str!("catalogue/google.toml")),
    ("oauth2", include_str!("catalogue/oauth2.toml")),
    ("oidc", include_str!("catalogue/oidc.toml")),
];
