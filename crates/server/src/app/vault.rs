//! The settings of the vault as the core takes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use grantor_core::model::Scope;
use grantor_core::vault::provider::{self, Provider};
use grantor_core::vault::{Integration, IntegrationKind, RefreshPolicy, VaultPolicy, Webhook};
use zeroize::Zeroizing;

use crate::config::{self, Config};

/// What the operator has decided about the vault. All that does not fit together is said at once.
pub(crate) fn policy(config: &Config) -> anyhow::Result<VaultPolicy> {
    let own = &config.vault;
    let refresh = RefreshPolicy {
        deadline: own.deadline.seconds(),
        patience: own.patience.seconds(),
        keep_alive: own.keep_alive.seconds(),
        ..RefreshPolicy::default()
    };
    Ok(VaultPolicy {
        integrations: integrations(config)?,
        refresh,
        webhooks: config.webhooks.iter().map(|(name, own)| webhook(name, own)).collect(),
        return_urls: own.return_urls.clone(),
    })
}

/// The built-in descriptions and those in the operator's folder.
fn providers(folder: Option<&Path>) -> anyhow::Result<BTreeMap<String, Arc<Provider>>> {
    load(descriptions(folder)?)
}

/// The built-in descriptions and those in `files`, by name and text.
pub(crate) fn load(
    files: Vec<(String, String)>,
) -> anyhow::Result<BTreeMap<String, Arc<Provider>>> {
    provider::load(files).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        anyhow!("descriptions of providers cannot be used:{}", lines.concat())
    })
}

/// The files of the operator's folder whose names end with `.toml`: what stands before that names the
/// provider.
pub(crate) fn descriptions(folder: Option<&Path>) -> anyhow::Result<Vec<(String, String)>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {shown}"))?.path();
        if path.extension().is_some_and(|own| own == "toml") {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, text));
        }
    }
    files.sort();
    Ok(files)
}

fn integrations(config: &Config) -> anyhow::Result<BTreeMap<String, Arc<Integration>>> {
    // Nobody pays for descriptions that are not used.
    if config.integrations.is_empty() {
        return Ok(BTreeMap::new());
    }
    let providers = providers(config.vault.providers.as_deref())?;
    let (mut made, mut problems) = (BTreeMap::new(), String::new());
    for (name, own) in &config.integrations {
        let wanted = own.provider.as_ref().unwrap_or(name);
        let Some(provider) = providers.get(wanted) else {
            let why = "`grantor provider list` shows all there are";
            problems += &format!("\n  integrations.{name}: there is no provider {wanted:?}: {why}");
            continue;
        };
        let integration = integration(config, name, own, provider)?;
        for why in provider.unfit(&integration) {
            problems += &format!("\n  integrations.{name}: {why}");
        }
        made.insert(name.clone(), Arc::new(integration));
    }
    ensure!(problems.is_empty(), "integrations cannot be used:{problems}");
    Ok(made)
}

fn integration(
    config: &Config,
    name: &str,
    own: &config::Integration,
    provider: &Arc<Provider>,
) -> anyhow::Result<Integration> {
    let kind = match own.grant {
        config::Grant::AuthorizationCode => IntegrationKind::Person,
        config::Grant::ClientCredentials => IntegrationKind::ClientCredentials,
    };
    let scope = match &own.scopes {
        Some(scopes) => Scope::parse(&scopes.join(" "))?,
        None => provider.default_scope(kind),
    };
    let required = match own.required_scopes.as_slice() {
        [] => provider.required_scope(),
        named => Scope::parse(&named.join(" "))?,
    };
    Ok(Integration {
        name: name.to_owned(),
        label: own.label.clone().unwrap_or_else(|| provider.label.clone()),
        provider: Arc::clone(provider),
        client_id: own.client_id.trim().to_owned(),
        client_secret: own
            .client_secret
            .as_ref()
            .map(|secret| Zeroizing::new(secret.expose().trim().to_owned())),
        scope,
        required,
        variables: own.variables.clone(),
        kind,
        redirect_uri: own
            .redirect_uri
            .clone()
            .unwrap_or_else(|| format!("{}/connect/callback", config.issuer())),
        self_service: own.self_service,
        link: own.link,
        proxy: own.proxy,
        concurrency: own.concurrency,
        per_minute: own.refreshes_per_minute,
    })
}

fn webhook(name: &str, own: &config::Webhook) -> Webhook {
    Webhook {
        name: name.to_owned(),
        url: own.url.clone(),
        keys: Config::webhook_keys(own).into_iter().map(Zeroizing::new).collect(),
        events: own.events.clone(),
    }
}
