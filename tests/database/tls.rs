//! A certificate is checked, by an authority of the server's own where the config names one.

use launchready_checks::probe::{Database, ProbeError, TargetFault};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::cluster::Cluster;
use crate::look::{SHORT, open_with};

/// An authority, and a certificate of it for a name, as PEM: authority, certificate, key.
fn issue(name: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    (authority, certificate.pem(), own.serialize_pem())
}

#[tokio::test]
async fn a_certificate_is_checked_and_a_plain_server_is_told() {
    let Some(mut cluster) = Cluster::start("certificates", &[]).await else { return };
    let url =
        |mode: &str| format!("{}?sslmode={mode}", cluster.url().replace("127.0.0.1", "localhost"));
    let look = async |url: &str, root: Option<&str>| {
        let root = root.map(|root| format!("root = {root:?}\n")).unwrap_or_default();
        let facts = open_with(url, &root, SHORT).facts().await;
        facts.map(|facts| facts.encrypted)
    };
    let (full, require, disable) = (url("verify-full"), url("require"), url("disable"));
    for wanted in [&full, &require] {
        let error = look(wanted, None).await.unwrap_err();
        assert!(
            matches!(&error, ProbeError::Target(TargetFault::Tls(text)) if text.contains("does not encrypt")),
            "{error}"
        );
    }
    // Nothing leaves the machine.
    assert_eq!(look(&disable, None).await, Ok(true));

    cluster.down();
    let (authority, certificate, key) = issue("localhost");
    let root = cluster.write("root.pem", &authority, 0o644).display().to_string();
    let other = cluster.write("other.pem", &issue("localhost").0, 0o644).display().to_string();
    let ssl = [
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", cluster.write("server.pem", &certificate, 0o644).display().to_string()),
        ("ssl_key_file", cluster.write("server.key", &key, 0o600).display().to_string()),
    ];
    let lines = ssl.map(|(name, value)| format!("{name} = '{value}'\n")).concat();
    std::fs::write(cluster.data().join("postgresql.auto.conf"), lines).unwrap();
    cluster.up();
    assert_eq!(look(&full, Some(&root)).await, Ok(true));
    assert_eq!(look(&require, None).await, Ok(true));
    for (url, root) in [
        (full.clone(), None),
        (full.clone(), Some(other.as_str())),
        (full.replace("localhost", "127.0.0.1"), Some(root.as_str())),
    ] {
        let error = look(&url, root).await.unwrap_err();
        let told = matches!(&error, ProbeError::Target(TargetFault::Tls(text)) if text.contains("root = \"FILE.pem\""));
        assert!(told, "{url} {root:?}: {error:?}");
    }
    let error = look(&full, Some("/nowhere/root.pem")).await.unwrap_err().to_string();
    assert!(error.contains("project.database.root"), "{error}");
}
