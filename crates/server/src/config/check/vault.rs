//! How the settings of the vault fit together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantor_core::vault::notices::NoticeEvent;
use url::Url;

use super::{Config, Found, ZERO, is_loopback};
use crate::outbound::Reach;

pub(super) fn vault(config: &Config, found: &mut Found) {
    let own = &config.vault;
    for (path, period) in [
        ("vault.deadline", own.deadline),
        ("vault.patience", own.patience),
        ("vault.proxy.timeout", own.proxy.timeout),
    ] {
        found.when(period == ZERO, path, "must be one second at least");
    }
    let folder = own.providers.as_ref();
    found.when(
        folder.is_some_and(|folder| !folder.is_dir()),
        "vault.providers",
        "is not a folder that can be read",
    );
    for url in &own.return_urls {
        let text = format!("{url:?} must be an https URL without query and fragment");
        found.when(!plain(url), "vault.return_urls", &text);
    }
}

pub(super) fn integrations(config: &Config, found: &mut Found) {
    for (name, own) in &config.integrations {
        let path = |key: &str| format!("integrations.{name}.{key}");
        let sound = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        let text = "must have a name of lower-case letters, digits, - and _";
        found.when(!sound, &format!("integrations.{name}"), text);
        found.when(own.client_id.trim().is_empty(), &path("client_id"), "has to be set");
        let uri = own.redirect_uri.as_deref();
        let text =
            "must be an https URL without query and fragment (http:// is for this machine only)";
        found.when(uri.is_some_and(|uri| !plain(uri)), &path("redirect_uri"), text);
        for scope in own.scopes.iter().flatten().chain(&own.required_scopes) {
            let text = format!(
                "{scope:?} is not a scope: printable ASCII without spaces, quotes and backslashes"
            );
            let fine = grantor_core::model::Scope::parse(scope).is_ok() && !scope.contains(' ');
            found.when(!fine, &path("scopes"), &text);
        }
        if let Some(asked) = &own.scopes {
            for scope in own.required_scopes.iter().filter(|scope| !asked.contains(scope)) {
                let text = format!("names {scope}, which is not asked for: add it to scopes");
                found.when(true, &path("required_scopes"), &text);
            }
        }
    }
}

pub(super) fn webhooks(config: &Config, found: &mut Found) {
    for (name, own) in &config.webhooks {
        let path = |key: &str| format!("webhooks.{name}.{key}");
        let text = "must be an https URL without a fragment (http:// is for hosts in outbound.allowed_hosts)";
        let sound = Url::parse(&own.url)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.fragment().is_none());
        found.when(!sound, &path("url"), text);
        // What would be refused when there is something to tell is refused now.
        if let Some(why) = unreachable(config, &own.url).filter(|_| sound) {
            found.when(true, &path("url"), &format!("cannot be called: {why}"));
        }
        let keys = own.secret.as_ref().and_then(|secret| webhook_keys(secret.expose()));
        found.when(
            keys.is_none(),
            &path("secret"),
            "has to be set (or secret_file), as `whsec_` and 24 to 64 random bytes in base64: make \
             one with `echo whsec_$(openssl rand -base64 32)`",
        );
        for event in &own.events {
            let known = NoticeEvent::ALL;
            let names = known.map(NoticeEvent::as_str).join(", ");
            let fine = known.iter().any(|known| known.as_str() == event);
            let text = format!("{event:?} is not an event; these are: {names}");
            found.when(!fine, &path("events"), &text);
        }
    }
}

/// Why no request may go to `url`, if that can be said by the address alone.
fn unreachable(config: &Config, url: &str) -> Option<String> {
    let own = &config.outbound;
    let reach = Reach::new(own.allow_private, &own.allowed_hosts, own.proxy.as_deref()).ok()?;
    reach.check(&Url::parse(url).ok()?).err()
}

/// The bytes of keys as Standard Webhooks writes them, with spaces between.
pub(in crate::config) fn webhook_keys(text: &str) -> Option<Vec<Vec<u8>>> {
    let key = |text: &str| {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(bytes)
    };
    let keys: Option<Vec<_>> = text.split_whitespace().map(key).collect();
    keys.filter(|keys| !keys.is_empty())
}

fn plain(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    })
}
