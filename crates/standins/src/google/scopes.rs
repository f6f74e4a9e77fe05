//! Scopes: the ones that exist, their two spellings, and what people read about them.
//! Google, "OAuth 2.0 Scopes for Google APIs".

use std::collections::BTreeSet;

/// What is in front of nearly every scope.
pub(super) const PREFIX: &str = "https://www.googleapis.com/auth/";

pub(super) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
pub(super) const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";
pub(super) const OPENID: &str = "openid";

/// Behind the prefix, and what a consent page says.
const KNOWN: [(&str, &str); 42] = [
    ("userinfo.email", "See your primary email address"),
    ("userinfo.profile", "See your personal info that you made available"),
    ("calendar", "See, edit, share and delete all your calendars"),
    ("calendar.readonly", "See and download all your calendars"),
    ("calendar.events", "View and edit events on all your calendars"),
    ("calendar.events.readonly", "View events on all your calendars"),
    ("calendar.calendarlist", "See, add and remove calendars that you are subscribed to"),
    ("calendar.calendarlist.readonly", "See the list of calendars that you are subscribed to"),
    ("calendar.freebusy", "View your availability in your calendars"),
    ("calendar.settings.readonly", "View your calendar settings"),
    ("drive", "See, edit, create and delete all of your files"),
    ("drive.readonly", "See and download all your files"),
    (
        "drive.file",
        "See, edit, create and delete only the files that you use with this application",
    ),
    ("drive.metadata", "View and manage information about your files"),
    ("drive.metadata.readonly", "See information about your files"),
    ("drive.appdata", "See and change this application's own data among your files"),
    ("documents", "See, edit, create and delete all your documents"),
    ("documents.readonly", "See all your documents"),
    ("spreadsheets", "See, edit, create and delete all your spreadsheets"),
    ("spreadsheets.readonly", "See all your spreadsheets"),
    ("presentations", "See, edit, create and delete all your presentations"),
    ("presentations.readonly", "See all your presentations"),
    ("forms.body", "See, edit, create and delete all your forms"),
    ("tasks", "Create, edit, organise and delete all your tasks"),
    ("tasks.readonly", "View your tasks"),
    ("contacts", "See, edit, download and delete your contacts"),
    ("contacts.readonly", "See and download your contacts"),
    ("contacts.other.readonly", "See contact info that was saved for you"),
    ("directory.readonly", "See your organisation's directory"),
    ("gmail.readonly", "View your email messages and settings"),
    ("gmail.send", "Send email on your behalf"),
    ("gmail.compose", "Manage drafts and send emails"),
    ("gmail.modify", "Read, compose and send emails"),
    ("gmail.labels", "See and edit your email labels"),
    ("gmail.metadata", "View the headers of your emails, but not their text"),
    ("youtube", "Manage your video channel"),
    ("youtube.readonly", "View your video channel"),
    ("analytics.readonly", "See and download your analytics data"),
    ("webmasters.readonly", "View your verified sites"),
    ("adwords", "See, edit, create and delete your advertising accounts"),
    ("bigquery", "View and manage your data in the warehouse"),
    ("cloud-platform", "See, edit, configure and delete your cloud data"),
];

/// The one that has another form.
const MAIL: (&str, &str) =
    ("https://mail.google.com/", "Read, compose, send and permanently delete all your email");

/// A scope as it is granted: `email` and `profile` have long names. `None` for one that Google does
/// not know, which `offline_access` is.
pub(super) fn canonical(asked: &str) -> Option<String> {
    match asked {
        "openid" => Some(OPENID.to_owned()),
        "email" => Some(EMAIL.to_owned()),
        "profile" => Some(PROFILE.to_owned()),
        other => (other == MAIL.0 || known(other).is_some()).then(|| other.to_owned()),
    }
}

/// What people read about a scope.
pub(super) fn words(scope: &str) -> &'static str {
    match scope {
        OPENID => "Associate you with your personal info",
        other if other == MAIL.0 => MAIL.1,
        other => known(other).unwrap_or(""),
    }
}

/// Whether it only tells who somebody is. These come together and cannot be unticked.
pub(super) fn is_for_signing_in(scope: &str) -> bool {
    [OPENID, EMAIL, PROFILE].contains(&scope)
}

/// Scopes as a token answer names them: under their long names, in an order of its own.
pub(super) fn in_answer(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Scopes as the redirect back to the application names them: under both names.
pub(super) fn in_callback(scopes: &BTreeSet<String>) -> String {
    let short = [(EMAIL, "email"), (PROFILE, "profile")];
    let short = short.into_iter().filter(|(long, _)| scopes.contains(*long)).map(|(_, name)| name);
    short.chain(scopes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

fn known(scope: &str) -> Option<&'static str> {
    let name = scope.strip_prefix(PREFIX)?;
    KNOWN.iter().find(|(own, _)| *own == name).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_renamed_and_unknown_ones_are_none() {
        assert_eq!(canonical("email").as_deref(), Some(EMAIL));
        assert_eq!(canonical(EMAIL).as_deref(), Some(EMAIL));
        assert_eq!(canonical("https://mail.google.com/").as_deref(), Some(MAIL.0));
        for unknown in ["offline_access", "phone", "https://www.googleapis.com/auth/nothing", ""] {
            assert_eq!(canonical(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_scope_has_words() {
        let all = KNOWN.iter().map(|(name, _)| format!("{PREFIX}{name}"));
        for scope in all.chain([OPENID.to_owned(), MAIL.0.to_owned()]) {
            assert!(!words(&scope).is_empty(), "{scope}");
            assert_eq!(canonical(&scope), Some(scope));
        }
    }
}
