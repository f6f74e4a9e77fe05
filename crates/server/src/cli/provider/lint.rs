//! `grantor provider lint`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;
use grantor_core::vault::provider::{Finding, Severity, catalogue, lint};
use serde_json::json;

use super::read;
use crate::app::vault::descriptions;
use crate::cli::output::{json, say};
use crate::cli::settings::Place;

/// Which descriptions.
#[derive(Debug, Args)]
pub(in crate::cli) struct Lint {
    /// Files, or names of providers; without any, the files of the folder in the settings, or all
    /// that are built in. A file's name is the provider's.
    files: Vec<PathBuf>,
    /// Fail for warnings and hints, too.
    #[arg(long)]
    strict: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(own: &Lint, place: &Place) -> anyhow::Result<ExitCode> {
    let mut texts = descriptions(place.load()?.vault.providers.as_deref())?;
    let mut only = Vec::new();
    for file in &own.files {
        if let Some(name) = named(file, &texts)? {
            only.push(name);
            continue;
        }
        let (name, text) = read(file)?;
        texts.retain(|(other, _)| *other != name);
        only.push(name.clone());
        texts.push((name, text));
    }
    let findings = lint(texts, &only);
    if own.json {
        json(&findings.iter().map(object).collect::<Vec<_>>())?;
    } else {
        findings.iter().for_each(|found| say(&line(found)));
        say(&summary(&findings));
    }
    let fails = |found: &Finding| own.strict || found.severity == Severity::Error;
    Ok(if findings.iter().any(fails) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The name of a provider, if it is not a file.
fn named(file: &Path, texts: &[(String, String)]) -> anyhow::Result<Option<String>> {
    let name = file.to_str().filter(|own| !own.contains(['/', '.']));
    let Some(name) = name.filter(|_| !file.exists()) else { return Ok(None) };
    let known = texts.iter().any(|(own, _)| own == name) || catalogue().contains_key(name);
    ensure!(known, "there is no provider {name:?}, and no such file; see `grantor provider list`");
    Ok(Some(name.to_owned()))
}

fn line(found: &Finding) -> String {
    format!("{:<8} {}", found.severity.as_str(), found.problem)
}

fn object(found: &Finding) -> serde_json::Value {
    let problem = &found.problem;
    json!({
        "severity": found.severity.as_str(),
        "file": problem.file,
        "path": problem.path,
        "text": problem.text,
    })
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|found| found.severity == severity).count();
    let counted = [Severity::Error, Severity::Warning, Severity::Hint].map(|own| (own, count(own)));
    let some = counted.iter().filter(|(_, number)| *number > 0).map(|(own, number)| {
        let plural = if *number == 1 { "" } else { "s" };
        format!("{number} {}{plural}", own.as_str())
    });
    let some = some.collect::<Vec<_>>();
    if some.is_empty() { "Nothing to complain about.".to_owned() } else { some.join(", ") }
}
