//! `drill all`: the eight tests before a launch, each with its result.

use crate::handler::Fault;
use crate::shop::Street;

/// How fast a loaded machine answers itself is no defect of the shop.
const PATIENT: &str = "[web-uptime]\napi_p95_warning = \"60s\"\np95_critical = \"60s\"\nfirst_byte_warning = \"60s\"\n";

#[tokio::test]
async fn each_of_the_eight_has_a_result_and_the_exit_code_follows() {
    let Some(street) = Street::open("eight").await else { return };
    let shop = street.shop(Fault::None).await;
    shop.edit(|project| {
        project.insert("checks".to_owned(), PATIENT.parse::<toml::Table>().unwrap().into());
    });
    let said = shop.say(&["drill", "all", "--json"]).await;
    let results = said.json();
    let ended: Vec<(&str, &str)> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["test"].as_str().unwrap(), one["outcome"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("payment-success", "passed"),
        ("payment-failure", "passed"),
        ("webhook-replay", "passed"),
        ("secrets", "passed"),
        ("two-users", "not_run"),
        ("support-routing", "not_run"),
        ("alert", "not_run"),
        ("speed", "passed"),
    ];
    assert_eq!((ended.as_slice(), said.code), (&wanted[..], Some(3)), "{results:#}");
    let alert = results[6]["fixes"].to_string();
    assert!(alert.contains("launchready agent") || alert.contains("[[channel]]"), "{alert}");
    assert_eq!(shop.rows().await, 0);
    street.close().await;
}

#[tokio::test]
async fn one_that_fails_decides_and_what_is_left_out_is_not_run() {
    let Some(street) = Street::open("eight_fail").await else { return };
    let shop = street.shop(Fault::NoDedupe).await;
    let skip = "payment-failure,secrets,two-users,support-routing,alert,speed";
    let said = shop.say(&["drill", "all", "--skip", skip]).await;
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.contains("payment-success  PASS\n"), "{}", said.out);
    assert!(said.out.contains("webhook-replay   FAIL\n"), "{}", said.out);
    assert!(said.out.contains("1 passed, 1 failed, 0 not run"), "{}", said.out);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
    let said = shop.say(&["drill", "alert", "--skip", "speed"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_eq!(shop.rows().await, 0);
    street.close().await;
}
