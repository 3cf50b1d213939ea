//! The command as it is typed: what it prints, and how it ends.

use std::path::Path;

use crate::shop::{PROJECT, Shop, plain};

async fn typed(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_launchready"));
    let output = command.args(args).current_dir(folder).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_fits_on_a_screen_and_its_exit_code_says_what_it_is() {
    let shop = Shop::open(PROJECT, "", "without_order_s = [10800]").await;
    let config = shop.config();
    let (folder, config) = (config.parent().unwrap(), config.to_str().unwrap());
    let (lost, whole) = (shop.sale(3, plain), shop.sale(6, plain));
    let (code, text, error) = typed(folder, &["trace", &whole.session, "--config", config]).await;
    assert_eq!(code, 0, "{text}{error}");
    assert!(text.contains("\n  WHOLE\n") && text.contains("✓ Order "), "{text}");
    let (code, text, error) = typed(folder, &["trace", &lost.session, "--config", config]).await;
    assert_eq!(code, 1, "{text}{error}");
    assert!(text.contains("The chain breaks at the order: EUR "), "{text}");
    assert!(text.contains("  → In Stripe, press Resend at evt_1C"), "{text}");
    assert!(text.contains("✗ Order                MISSING"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('@'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.lines().count() < 50, "{text}");
    let args = ["trace", &lost.session, "--config", config, "--json"];
    let (code, text, error) = typed(folder, &args).await;
    assert_eq!(code, 1, "{text}{error}");
    let chain: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&chain["schema_version"], &chain["broken"]), (&1.into(), &"order".into()));
    assert_eq!(chain["links"].as_array().unwrap().len(), 9);
    let (code, text, error) = typed(folder, &["trace", "cs_live_typo", "--config", config]).await;
    assert_eq!(code, 2, "{text}{error}");
    assert!(text.contains("\n  UNKNOWN ID\n") && !text.contains("BROKEN"), "{text}");
    assert!(text.contains("  → Check that it was typed whole"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let (code, text, error) =
        typed(folder, &["trace", "order-7", "--config", config, "--project", "quay"]).await;
    assert_eq!(code, 2, "{text}{error}");
    shop.close().await;
}

#[tokio::test]
async fn without_a_config_or_an_account_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text, error) = typed(folder.path(), &["trace", "cs_live_1"]).await;
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(error.contains("--config FILE") && error.contains("[project.stripe]"), "{error}");
    let (code, _, error) = typed(folder.path(), &["trace", "buyer@customers.example"]).await;
    assert_eq!(code, 2);
    assert!(error.contains("nothing that can be followed"), "{error}");
    let bare = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";
    std::fs::write(folder.path().join("launchready.toml"), bare).unwrap();
    let (code, text, error) = typed(folder.path(), &["trace", "cs_live_1"]).await;
    assert_eq!(code, 3, "{text}{error}");
    assert!(text.contains("NOT LOOKED AT") && text.contains("add [project.stripe]"), "{text}");
}
