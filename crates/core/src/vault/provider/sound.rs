//! What no schema says: whether the parts of a description fit together.

use super::description::{Description, IdentityFrom, Scopes};
use super::gaps::BUILT_IN;
use super::template::{Position, Template, UrlTemplate};
use super::text::{Place, Pointer};
use super::variable::{Form, Source, Variable};
use crate::model::Scope;

/// The path of a key, and what is wrong there and what to do.
type Fault = (String, String);

/// Everything that keeps a description from being used.
pub(crate) fn faults(own: &Description) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut fault = |path: &str, text: &str| found.push((path.to_owned(), text.to_owned()));
    let discovered = own.discovery.is_some();
    if own.label.trim().is_empty() {
        fault("label", "is empty: it is what people read");
    }
    if own.authorize.is_none() && own.client_credentials.is_none() {
        fault("authorize", "is missing, and client_credentials, too: nothing can be connected");
    }
    if own.authorize.as_ref().is_some_and(|block| block.url.is_none()) && !discovered {
        fault("authorize.url", "is missing, and there is no [discovery] to tell it");
    }
    if own.token.url.is_none() && !discovered {
        fault("token.url", "is missing, and there is no [discovery] to tell it");
    }
    if own.revoke.as_ref().is_some_and(|block| block.url.is_none()) && !discovered {
        fault("revoke.url", "is missing, and there is no [discovery] to tell it");
    }
    if let Some(block) = own.id_token.as_ref().filter(|_| !discovered) {
        if block.issuers.is_empty() {
            fault("id_token.issuers", "is empty, and there is no [discovery] to tell it");
        }
        if block.jwks_uri.is_none() {
            fault("id_token.jwks_uri", "is missing, and there is no [discovery] to tell it");
        }
    }
    if own.response.root.is_empty() {
        fault("response.root", "is empty: leave the key out, or name a place");
    }
    found.extend(identity(own, discovered));
    found.extend(scopes(&own.scopes));
    own.variables.iter().for_each(|(name, declared)| found.extend(variable(name, declared)));
    found.extend(gaps(own));
    found
}

fn identity(own: &Description, discovered: bool) -> Vec<Fault> {
    let mut found = Vec::new();
    let block = &own.identity;
    let mut fault = |path: &str, text: &str| found.push((path.to_owned(), text.to_owned()));
    match block.from {
        IdentityFrom::IdToken if own.id_token.is_none() => {
            fault("id_token", "is missing: the account is named by the ID token");
        }
        IdentityFrom::Call if block.url.is_none() && !discovered => {
            fault("identity.url", "is missing, and there is no [discovery] to tell it");
        }
        IdentityFrom::IdToken | IdentityFrom::Call | IdentityFrom::Answer | IdentityFrom::None => {}
    }
    if block.from != IdentityFrom::None && block.sub.is_empty() {
        fault("identity.sub", "is missing: name what identifies the account, never its address");
    }
    if block
        .body
        .as_ref()
        .is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err())
    {
        fault("identity.body", "is not JSON");
    }
    for (key, places) in [
        ("sub", &block.sub),
        ("email", &block.email),
        ("name", &block.name),
        ("organization", &block.organization),
    ] {
        for place in places {
            let Place::Variable(name) = place else { continue };
            let declared = own.variables.get(name);
            if declared.is_none_or(|own| own.from == Source::Operator) {
                let text = "names a variable that neither callback nor answer gives";
                fault(&format!("identity.{key}"), text);
            }
        }
    }
    found
}

fn scopes(own: &Scopes) -> Vec<Fault> {
    let mut found = Vec::new();
    for (key, separator) in
        [("separator", Some(&own.separator)), ("answer_separator", own.answer_separator.as_ref())]
    {
        let odd = |text: &String| {
            text.is_empty() || text.len() > 2 || text.contains(|c: char| c.is_ascii_alphanumeric())
        };
        if separator.is_some_and(odd) {
            let text = "must be one or two characters that are no letters, such as \" \" or \",\"";
            found.push((format!("scopes.{key}"), text.to_owned()));
        }
    }
    for (key, names) in [
        ("default", &own.default),
        ("required", &own.required),
        ("always", &own.always),
        ("ignored", &own.ignored),
        ("silent", &own.silent),
    ] {
        for name in names {
            let parts = Scope::parse(name).map(|scope| scope.iter().count());
            if parts != Ok(1) || name.contains(&own.separator) {
                let text = format!("{name:?} is not one scope: write each as an item of its own");
                found.push((format!("scopes.{key}"), text));
            }
        }
    }
    found
}

fn variable(name: &str, own: &Variable) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut fault = |key: &str, text: String| found.push((format!("variables.{name}{key}"), text));
    let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(named) || BUILT_IN.contains(&name) {
        let text = "cannot be its name: small letters, digits and _, and not client_id, \
                    access_token or refresh_token";
        fault("", text.to_owned());
    }
    if let Some(Err(why)) = own.default.as_ref().map(|value| own.accept(value)) {
        fault(".default", format!("is refused by the rules of its own variable: {why}"));
    }
    // A host from outside is where the next token is sent.
    let open = own.hosts.is_empty() && own.one_of.is_empty();
    if own.from != Source::Operator && own.form.has_host() && open {
        fault(".hosts", "is empty: a host from outside must be one that is listed here".to_owned());
    }
    let pointer = own.at.as_ref().map(|at| at.parse::<Pointer>());
    if let (Source::Answer, Some(Err(why))) = (own.from, pointer) {
        fault(".at", why);
    }
    found
}

/// Every gap names something that can be known there, in a form that cannot leave its place.
fn gaps(own: &Description) -> Vec<Fault> {
    let mut found = Vec::new();
    for (path, url) in urls(own) {
        for (name, position) in url.positions() {
            let fits = match own.variables.get(name) {
                Some(declared) => may_stand(declared.form, position)
                    .and_then(|()| is_told_before(declared, &path)),
                None => known_in(&path, name).then_some(()).ok_or_else(|| undeclared(name)),
            };
            found.extend(fits.err().map(|text| (path.clone(), text)));
        }
    }
    for (path, value) in values(own) {
        for name in value.gaps() {
            let fits = match own.variables.get(name) {
                Some(declared) => is_told_before(declared, &path),
                None => known_in(&path, name).then_some(()).ok_or_else(|| undeclared(name)),
            };
            found.extend(fits.err().map(|text| (path.clone(), text)));
        }
    }
    found
}

fn undeclared(name: &str) -> String {
    format!("{{{name}}} is not known here: declare it as [variables.{name}]")
}

fn may_stand(form: Form, position: Position) -> Result<(), String> {
    let fits = match position {
        Position::Start => matches!(form, Form::Origin | Form::Url),
        Position::Host => form == Form::Host,
        Position::Label => matches!(form, Form::Label | Form::Digits),
        Position::Path => matches!(form, Form::Label | Form::Name | Form::Digits | Form::Host),
    };
    let wanted = match position {
        Position::Start => "\"origin\" or \"url\"",
        Position::Host => "\"host\"",
        Position::Label => "\"label\"",
        Position::Path => "\"name\", \"label\", \"digits\" or \"host\"",
    };
    fits.then_some(())
        .ok_or_else(|| format!("a variable in this place must have the form {wanted}"))
}

/// The browser leaves, and its answer is compared, before the provider has told anything.
fn is_told_before(declared: &Variable, path: &str) -> Result<(), String> {
    let early = path.starts_with("authorize") || path.starts_with("discovery");
    let late = declared.from != Source::Operator && declared.default.is_none();
    match early && late {
        true => Err("a variable from callback or answer has no value here: give it a default, or \
                     leave it to the operator"
            .to_owned()),
        false => Ok(()),
    }
}

/// What is known without being declared, where.
fn known_in(path: &str, name: &str) -> bool {
    match name {
        "client_id" => true,
        "access_token" => path.starts_with("identity") || path.starts_with("revoke"),
        "refresh_token" => path.starts_with("revoke"),
        claim => path == "id_token.issuers" && claim.starts_with("claim."),
    }
}

/// Every URL of a description, with its path.
pub(crate) fn urls(own: &Description) -> Vec<(String, &UrlTemplate)> {
    let credentials = own.client_credentials.as_ref();
    let all = [
        ("discovery.url", own.discovery.as_ref().map(|block| &block.url)),
        ("discovery.issuer", own.discovery.as_ref().map(|block| &block.issuer)),
        ("authorize.url", own.authorize.as_ref().and_then(|block| block.url.as_ref())),
        ("token.url", own.token.url.as_ref()),
        ("refresh.url", own.refresh.url.as_ref()),
        ("client_credentials.url", credentials.and_then(|block| block.url.as_ref())),
        ("id_token.jwks_uri", own.id_token.as_ref().and_then(|block| block.jwks_uri.as_ref())),
        ("identity.url", own.identity.url.as_ref()),
        ("revoke.url", own.revoke.as_ref().and_then(|block| block.url.as_ref())),
        ("proxy.base", own.proxy.as_ref().map(|block| &block.base)),
    ];
    all.into_iter().filter_map(|(path, url)| Some((path.to_owned(), url?))).collect()
}

/// Every value with gaps that is no URL, with its path.
pub(crate) fn values(own: &Description) -> Vec<(String, &Template)> {
    let mut tables = vec![
        ("token.params", Some(&own.token.params)),
        ("token.headers", own.token.headers.as_ref()),
        ("refresh.params", Some(&own.refresh.params)),
        ("refresh.headers", own.refresh.headers.as_ref()),
        ("identity.headers", Some(&own.identity.headers)),
        ("identity.params", Some(&own.identity.params)),
    ];
    if let Some(block) = &own.authorize {
        tables.push(("authorize.params", Some(&block.params)));
        tables.push(("authorize.force_consent", Some(&block.force_consent)));
    }
    if let Some(block) = &own.client_credentials {
        tables.push(("client_credentials.params", Some(&block.params)));
        tables.push(("client_credentials.headers", block.headers.as_ref()));
    }
    if let Some(block) = &own.revoke {
        tables.push(("revoke.params", Some(&block.params)));
        tables.push(("revoke.headers", Some(&block.headers)));
    }
    tables.extend(own.proxy.as_ref().map(|block| ("proxy.headers", Some(&block.headers))));
    let mut all = Vec::new();
    for (path, table) in tables {
        let values = table.into_iter().flatten();
        all.extend(values.map(|(name, value)| (format!("{path}.{name}"), value)));
    }
    let audiences = [
        ("token.audience", own.token.audience.as_ref()),
        ("refresh.audience", own.refresh.audience.as_ref()),
        (
            "client_credentials.audience",
            own.client_credentials.as_ref().and_then(|block| block.audience.as_ref()),
        ),
        ("authorize.issuer", own.authorize.as_ref().and_then(|block| block.issuer.as_ref())),
    ];
    all.extend(audiences.into_iter().filter_map(|(path, own)| Some((path.to_owned(), own?))));
    let issuers = own.id_token.iter().flat_map(|block| &block.issuers);
    all.extend(issuers.map(|own| ("id_token.issuers".to_owned(), own)));
    let hosts = own.proxy.iter().flat_map(|block| &block.hosts);
    all.extend(hosts.map(|own| ("proxy.hosts".to_owned(), own)));
    all
}
