//! Every provider that is built in, through the server, at a stand-in that was written by somebody
//! else after the same documentation. `table.rs` has a row for each.

mod description;
mod story;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use tokio::task::JoinSet;

use story::Story;
use table::{ROWS, Row};
use world::World;

#[test]
fn every_description_has_a_row() {
    let files = fs::read_dir(description::CATALOGUE).expect("the catalogue");
    let names = files.map(|file| file.expect("readable").file_name().into_string().expect("text"));
    let described: BTreeSet<String> =
        names.filter_map(|name| name.strip_suffix(".toml").map(ToOwned::to_owned)).collect();
    let told: BTreeSet<String> = ROWS.iter().map(|row| row.provider.to_owned()).collect();
    assert_eq!(described, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_provider_connects_serves_refreshes_and_is_given_back() {
    let chosen = std::env::var("PROVIDER").ok();
    let rows: Vec<Row> = ROWS
        .iter()
        .filter(|r| chosen.as_ref().is_none_or(|c| c.split(',').any(|c| c == r.name)))
        .copied()
        .collect();
    let world = Arc::new(World::start(&rows, &[]).await);
    // A stand-in has one memory: what is told at the same one is told one after the other.
    let mut places: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in rows {
        places.entry(row.stand_in).or_default().push(row);
    }
    let mut told = JoinSet::new();
    for rows in places.into_values() {
        let world = Arc::clone(&world);
        told.spawn(async move {
            let mut failed = Vec::new();
            for row in rows {
                let world = Arc::clone(&world);
                let story = tokio::spawn(async move { Story { world: &world, row }.tell().await });
                if story.await.is_err() {
                    failed.push(row.name);
                }
            }
            failed
        });
    }
    let failed: Vec<_> = told.join_all().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "these failed, as told above: {}", failed.join(", "));
}
