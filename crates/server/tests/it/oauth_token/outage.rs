//! The provider is down for ten minutes. The time is that of the tokens: they are made as old as they
//! would be.

use serde_json::{Value, json};

use crate::support::vault::{Vault, assert_refused};

#[tokio::test]
async fn a_valid_token_is_served_with_a_warning_and_only_without_one_it_is_503() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.fault_for(json!("until_cleared"), json!({"html": 503})).await;
    let mut warned = 0;
    // Ten minutes, from 290 seconds before the end on.
    for minute in 0..10 {
        let left = 290 - 60 * minute;
        vault.age(id, left);
        if minute > 0 {
            vault.rest(id);
        }
        let page = vault.token(Value::Null).await;
        if left > 0 {
            assert_eq!(page.status, 200, "{page:?}");
            let answer = page.json();
            warned += i32::from(answer["warning"]["code"] == "refresh_failing");
            assert_eq!(answer["refreshed"], false);
            // The attempt goes on beside.
            let attempts = (minute + 1).to_string();
            vault
                .until("nothing is tried", async || {
                    let own = vault.column(id, "json_extract(trouble, '$.attempts')");
                    own == attempts || own.parse::<i64>().is_ok_and(|own| own > minute)
                })
                .await;
        } else {
            assert_refused(&page, 503, "temporarily_unavailable");
            let wait = page.json()["retry_after"].as_u64().expect("seconds");
            assert!((1..=900).contains(&wait), "{wait}");
        }
    }
    assert!(warned >= 4, "{warned}");
    assert_eq!(vault.column(id, "status"), "active");
    let calls = vault.refreshes().await;
    assert!((5..=12).contains(&calls), "{calls}");
    // It is back.
    vault.control("DELETE", "faults", Value::Null).await;
    vault
        .until("it does not recover", async || {
            vault.rest(id);
            vault.token(Value::Null).await.status == 200
        })
        .await;
    let answer = vault.token(Value::Null).await.json();
    assert_eq!((answer.get("warning"), &answer["refreshed"]), (None, &json!(false)), "{answer}");
    assert!(vault.metric("stale_served_total").await >= 4);
}
