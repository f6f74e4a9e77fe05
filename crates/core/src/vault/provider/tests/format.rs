//! The form of a description: what is refused, with which words, and what is inherited.

use std::sync::Arc;

use super::{Setup, own, problems, small};
use crate::vault::provider::{catalogue, load};

#[test]
fn all_that_is_wrong_is_said_with_its_path() {
    let found = problems(
        "label = 7\nextends = \"google\"\nfoo = 1\n[authorize]\nulr = \"https://x.example\"\npkce = \"plain\"\n\
         [refresh]\nidle = \"soon\"\n[response]\naccess_token = \"token\"\n[revoke]\nmethod = \"PUT\"\n\
         done = [\"200\"]\n[scopes]\ndefault = \"openid\"",
    );
    for line in [
        "own: label: 7 is not a text",
        "own: foo: there is no such key; here are: label, extends,",
        "own: authorize.ulr: there is no such key; did you mean \"url\"?",
        "own: authorize.pkce: \"plain\" is none of: S256, off",
        "own: refresh.idle: \"soon\" is not a period: write it like \"60s\", \"1h\" or \"30d\"",
        "own: response.access_token: \"token\" is not a JSON pointer (RFC 6901): write it like \"/data/id\"",
        "own: revoke.method: \"PUT\" is none of: GET, POST, DELETE",
        "own: revoke.done[0]: \"200\" is not a whole number",
        "own: scopes.default: \"openid\" is not a list",
    ] {
        assert!(found.contains(line), "{line}\nin\n{found}");
    }
    assert_eq!(found.lines().count(), 9, "{found}");
}

#[test]
fn what_cannot_be_parsed_is_said_with_its_line() {
    let found = problems("label = \"Own\"\n[token\n");
    assert!(found.starts_with("own: line 2 is not TOML"), "{found}");
    let found = load([("../etc".to_owned(), String::new())]).expect_err("a name");
    assert!(found[0].text.contains("rename the file"), "{found:?}");
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    for (more, word) in [
        ("token.url = 'https://u:p@x.example/'", "token.url"),
        ("identity.from = \"call\"\nidentity.sub = [\"/id\"]", "identity.url: is missing"),
        ("identity.from = \"answer\"", "identity.sub: is missing"),
        ("identity.from = \"id_token\"\nidentity.sub = [\"/sub\"]", "id_token: is missing"),
        ("identity.from = \"answer\"\nidentity.sub = [\"$x\"]", "identity.sub: names a variable"),
        ("identity.body = \"{\"", "identity.body: is not JSON"),
        ("[id_token]", "id_token.issuers: is empty"),
        ("[revoke]", "revoke.url: is missing"),
        ("response.root = []", "response.root: is empty"),
        ("scopes.separator = \"\"", "scopes.separator: must be"),
        ("scopes.default = [\"a b\"]", "scopes.default: \"a b\" is not one scope"),
        ("scopes.separator = \",\"\nscopes.always = [\"a,b\"]", "scopes.always: \"a,b\""),
        ("proxy.base = \"https://{x}.example\"", "proxy.base: {x} is not known here"),
        ("proxy.base = \"https://a.example/{access_token}\"", "{access_token} is not known here"),
        ("token.params = { a = \"{x}\" }", "token.params.a: {x} is not known here"),
        ("token.params = { a = \"{x\" }", "token.params.a: \"{x\" has a brace"),
        (
            "authorize.issuer = \"https://{x}\"\n[variables.x]\nform = \"name\"\nfrom = \"callback\"",
            "authorize.issuer: a variable from callback or answer has no value here",
        ),
        (
            "discovery = { url = \"https://a.example/{x}\", issuer = \"https://a.example\" }\n\
             [variables.x]\nform = \"name\"\nfrom = \"answer\"",
            "discovery.url: a variable from callback or answer has no value here",
        ),
        ("[variables.client_id]\nform = \"name\"", "variables.client_id: cannot be its name"),
        ("[variables.x]\nform = \"digits\"\ndefault = \"a\"", "variables.x.default: is refused"),
        ("[variables.x]\nfrom = \"answer\"\nform = \"origin\"", "variables.x.hosts: is empty"),
        (
            "[variables.x]\nform = \"name\"\nfrom = \"answer\"\nat = \"x\"",
            "variables.x.at: \"x\" is not a JSON pointer",
        ),
        (
            "proxy.base = \"https://{x}/\"\n[variables.x]\nform = \"name\"",
            "must have the form \"host\"",
        ),
        (
            "proxy.base = \"https://a.{x}/\"\n[variables.x]\nform = \"host\"",
            "must have the form \"label\"",
        ),
        (
            "proxy.base = \"{x}/\"\n[variables.x]\nform = \"host\"",
            "must have the form \"origin\" or \"url\"",
        ),
        (
            "proxy.base = \"https://a.example/{x}\"\n[variables.x]\nform = \"url\"",
            "must have the form \"name\"",
        ),
        ("extends = \"gogle\"", "did you mean \"google\"?"),
        ("extends = \"own\"", "extends: "),
    ] {
        // What is added may come before a table of the small one.
        let text = if more.starts_with("token.url") {
            small("").replace("token.url = \"https://own.example/token\"", more)
        } else if more.starts_with("extends") {
            format!("{more}\n{}", small(""))
        } else {
            small(more)
        };
        let found = problems(&text);
        assert!(found.contains(word), "{more}: {found}");
    }
    let nothing = problems("label = \"Own\"");
    assert!(
        nothing.contains("authorize: is missing") && nothing.contains("token.url: is missing"),
        "{nothing}"
    );
    assert!(problems("extends = \"google\"\nlabel = \"\"").contains("label: is empty"));
}

#[test]
fn a_file_extends_another_key_by_key_and_takes_keys_away() {
    let staged = own(
        "extends = \"google\"\nlabel = \"Stand-in\"\nproxy = false\n[authorize]\nurl = \"http://localhost:5052/auth\"\n\
         params = { access_type = false }\n[token]\nurl = \"http://localhost:5052/token\"\n[scopes]\nignored = []",
    );
    assert_eq!((staged.label.as_str(), staged.extends()), ("Stand-in", Some("google")));
    let setup = Setup::of(&staged);
    let request = staged.refresh(&setup.ctx(), "r");
    assert_eq!(request.url, "http://localhost:5052/token");
    assert!(super::form(&request).contains_key("client_secret"), "auth is Google's");
    assert!(staged.proxy(&setup.ctx()).is_none(), "taken away");
    let asked = super::super::AuthorizeUrl {
        scope: &crate::model::Scope::default(),
        state: "s",
        challenge: "c",
        nonce: "n",
        login_hint: None,
        force_consent: false,
    };
    let url = staged.authorize_url(&setup.ctx(), &asked);
    assert!(url.contains("include_granted_scopes=true") && !url.contains("access_type"), "{url}");
}

#[test]
fn a_file_may_replace_a_built_in_one_and_still_extend_it() {
    let text = "extends = \"google\"\nlabel = \"Ours\"".to_owned();
    let again = "extends = \"google\"".to_owned();
    let all = load([("google".to_owned(), text), ("other".to_owned(), again)]).expect("fine");
    assert_eq!(all["google"].label, "Ours");
    assert_eq!(all["other"].label, "Ours", "others extend the one that is in force");
    let circle = load([
        ("a".to_owned(), "extends = \"b\"".to_owned()),
        ("b".to_owned(), "extends = \"a\"".to_owned()),
    ]);
    let circle = circle.expect_err("a circle");
    assert_eq!(circle.len(), 2, "{circle:?}");
    assert!(circle.iter().all(|own| own.path == "extends"), "{circle:?}");
}

#[test]
fn the_catalogue_is_whole() {
    let all = catalogue();
    assert!(all.contains_key("google") && all.contains_key("oidc") && all.contains_key("oauth2"));
    for (name, provider) in &all {
        assert!(!provider.label.is_empty() && provider.documentation().next().is_some(), "{name}");
        assert_eq!(Arc::strong_count(provider), 1);
    }
}
