//! Metadata as the fields of a form: `client_id`, `client_secret`, `redirect_uri`, `grant_types`,
//! and whatever else of RFC 7591 §2 is a text or a list.

use grantor_core::error::Refusal;
use grantor_core::params::Params;
use serde_json::{Map, Value, json};

/// Fields that are lists, with the member that they are and what divides their items.
const LISTS: [(&str, &str, &[char]); 6] = [
    ("redirect_uri", "redirect_uris", &[' ', '\n', '\r']),
    ("redirect_uris", "redirect_uris", &[' ', '\n', '\r']),
    ("post_logout_redirect_uris", "post_logout_redirect_uris", &[' ', '\n', '\r']),
    ("grant_types", "grant_types", &[' ', ',']),
    // A response type may have spaces of its own.
    ("response_types", "response_types", &[',']),
    ("contacts", "contacts", &[',']),
];

/// The members that the fields of a form stand for.
pub(super) fn members(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let params = Params::parse(body)?;
    params.refuse_any_doubled()?;
    let mut members = Map::new();
    for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
        let list = LISTS.into_iter().find(|(field, ..)| *field == name);
        let (name, value) = match list {
            Some((_, member, dividers)) => {
                let items = value.split(dividers).map(str::trim);
                let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
                (member, json!(items))
            }
            None => (name, json!(value)),
        };
        if members.insert(name.to_owned(), value).is_some() {
            return Err(Refusal::DoubledParameter { name: name.to_owned() });
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_members() {
        let body = b"client_id=a&client_secret=b%20c&redirect_uri=https://a.example/cb\
            &grant_types=authorization_code,%20refresh_token&scope=read&client_name=";
        let expected = json!({
            "client_id": "a",
            "client_secret": "b c",
            "redirect_uris": ["https://a.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "read",
        });
        assert_eq!(Value::Object(members(body).expect("valid")), expected);
        let types = members(b"response_types=code,id_token+token").expect("valid");
        assert_eq!(types["response_types"], json!(["code", "id_token token"]));
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused() {
        for body in ["grant_types=a&grant_types=b", "redirect_uri=a&redirect_uris=b"] {
            assert!(members(body.as_bytes()).is_err(), "{body}");
        }
    }
}
