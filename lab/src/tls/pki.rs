//! A private certificate authority that issues good certificates and bad ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedProtocolVersion};
use sha2::{Digest as _, Sha256};

use crate::error::LabError;
use crate::kept::locked;
use crate::plan::{CertificateKind, CertificatePlan};

/// Where the intermediate is published; a site of the scenario serves it.
const ISSUER_URL: &str = "http://e7.i.lencr.org/";

/// The authority, with one key for all leaves: making keys is what start-up would wait for.
pub(crate) struct Pki {
    now: Timestamp,
    root: Certificate,
    intermediate: Authority,
    /// Signed by the same root, and about to run out.
    short: Authority,
    /// Signed by a root that is told to nobody.
    stranger: Authority,
    leaf_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    provider: Arc<CryptoProvider>,
    /// The chains that were issued, by what they were issued for: a world that changes keeps them.
    issued: Mutex<BTreeMap<String, Vec<CertificateDer<'static>>>>,
}

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A server's side of TLS for one host.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// What rustls needs.
    pub(crate) config: Arc<ServerConfig>,
    /// The certificates that are sent, leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

impl Pki {
    /// A new authority; its root began a year ago.
    pub(crate) fn new(now: Timestamp) -> Result<Self, LabError> {
        let made = |name: &str| {
            let name = name.to_owned();
            move |source| LabError::Certificate { name, source }
        };
        let key = |name: &str| KeyPair::generate().map_err(made(name));
        let root_key = key("the root")?;
        let root_params = authority_params(now, "Launchready Lab", "Lab Root X1", 365, 3650);
        let root = root_params.self_signed(&root_key).map_err(made("the root"))?;
        let root_issuer = Issuer::new(root_params, root_key);
        let under_root = |common: &str, age, left| {
            // The organisation of a real authority, because CAA records are compared with it.
            let params = authority_params(now, "Let's Encrypt", common, age, left);
            Authority::new(params, key(common)?, &root_issuer).map_err(made(common))
        };
        let stranger_key = key("the unknown root")?;
        let stranger_params = authority_params(now, "Nobody Knows", "Unknown Root", 365, 3650);
        let stranger_root = Issuer::new(stranger_params, stranger_key);
        let stranger = authority_params(now, "Nobody Knows", "Unknown CA 1", 365, 3650);
        let stranger = Authority::new(stranger, key("the unknown CA")?, &stranger_root)
            .map_err(made("the unknown CA"))?;
        let leaf_key = key("the leaves")?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let signing_key = PrivateKeyDer::try_from(leaf_key.serialize_der())
            .map_err(|message| rustls::Error::General(message.to_owned()))
            .and_then(|der| provider.key_provider.load_private_key(der))
            .map_err(|source| LabError::Tls { name: "the leaves".to_owned(), source })?;
        Ok(Self {
            now,
            intermediate: under_root("E7", 300, 700)?,
            short: under_root("E5", 700, 40)?,
            root,
            stranger,
            leaf_key,
            signing_key,
            provider,
            issued: Mutex::default(),
        })
    }

    /// The time around which certificates are made.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The root in PEM.
    pub(crate) fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// The intermediate in DER.
    pub(crate) fn intermediate_der(&self) -> &[u8] {
        self.intermediate.certificate.der()
    }

    /// A certificate for a host and the configuration of its server.
    pub(crate) fn endpoint(
        &self,
        host: &str,
        plan: &CertificatePlan,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> Result<Endpoint, LabError> {
        let chain = self.chain(host, plan)?;
        let tls = |source| LabError::Tls { name: host.to_owned(), source };
        let certified = CertifiedKey::new(chain.clone(), Arc::clone(&self.signing_key));
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(tls)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Ok(Endpoint { config: Arc::new(config), chain })
    }

    /// A good chain for a host in PEM, leaf first.
    pub(crate) fn chain_pem(&self, host: &str) -> Result<String, LabError> {
        let chain = self.chain(host, &CertificatePlan::default())?;
        Ok(chain.iter().map(|certificate| pem(certificate)).collect())
    }

    /// The key of all leaves in PEM.
    pub(crate) fn leaf_key_pem(&self) -> String {
        self.leaf_key.serialize_pem()
    }

    fn chain(
        &self,
        host: &str,
        plan: &CertificatePlan,
    ) -> Result<Vec<CertificateDer<'static>>, LabError> {
        use CertificateKind as Kind;
        let made = |source| LabError::Certificate { name: host.to_owned(), source };
        let (age, left) = match plan.kind {
            Kind::Expired => (92, -2),
            Kind::NotYetValid => (-3, 87),
            Kind::LongLife => (20, 380),
            Kind::IntermediateFirst => (20, 70),
            _ => (30, 60),
        };
        let (age, left) = (plan.age_days.unwrap_or(age), plan.left_days.unwrap_or(left));
        let names = match (plan.kind, plan.names.is_empty()) {
            (Kind::WrongName, true) => vec!["another-host.example".to_owned()],
            (_, true) => vec![host.to_owned()],
            (_, false) => plan.names.clone(),
        };
        let wanted = format!("{host} {names:?} {age} {left} {:?}", plan.kind);
        if let Some(chain) = locked(&self.issued).get(&wanted) {
            return Ok(chain.clone());
        }
        let mut params = CertificateParams::new(names.clone()).map_err(made)?;
        set_life(&mut params, self.now, age, left);
        params.distinguished_name = DistinguishedName::new();
        if let Some(first) = names.first().filter(|name| name.len() <= 64) {
            params.distinguished_name.push(DnType::CommonName, first.as_str());
        }
        params.serial_number = Some(serial(&wanted));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if plan.kind == Kind::SelfSigned {
            let leaf = params.self_signed(&self.leaf_key).map_err(made)?;
            let chain = vec![leaf.der().clone()];
            locked(&self.issued).insert(wanted, chain.clone());
            return Ok(chain);
        }
        params.use_authority_key_identifier_extension = true;
        let authority = match plan.kind {
            Kind::Untrusted => &self.stranger,
            Kind::IntermediateFirst => &self.short,
            _ => {
                params.custom_extensions.push(authority_access(ISSUER_URL));
                &self.intermediate
            }
        };
        let leaf = params.signed_by(&self.leaf_key, &authority.issuer).map_err(made)?;
        let mut chain = vec![leaf.der().clone()];
        if plan.kind != Kind::Incomplete {
            chain.push(authority.certificate.der().clone());
        }
        locked(&self.issued).insert(wanted, chain.clone());
        Ok(chain)
    }
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pki").finish_non_exhaustive()
    }
}

impl Authority {
    fn new(
        params: CertificateParams,
        key: KeyPair,
        above: &Issuer<'_, KeyPair>,
    ) -> Result<Self, rcgen::Error> {
        let certificate = params.signed_by(&key, above)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }
}

/// A certificate in PEM (RFC 7468).
fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn authority_params(
    now: Timestamp,
    organisation: &str,
    common: &str,
    age: i64,
    left: i64,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    set_life(&mut params, now, age, left);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, common);
    params.serial_number = Some(serial(common));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A serial number that differs for what differs; positive, as RFC 5280 section 4.1.2.2 wants.
fn serial(of: &str) -> SerialNumber {
    let mut bytes: Vec<u8> = Sha256::digest(of).iter().copied().take(16).collect();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    SerialNumber::from(bytes)
}

/// The extension that says where the issuer publishes its certificate (RFC 5280 section 4.2.2.1).
fn authority_access(url: &str) -> CustomExtension {
    /// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2.
    const CA_ISSUERS: [u8; 10] = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let wrap = |tag: u8, content: &[u8]| {
        // All of it is shorter than 128 bytes, the limit of a length in one byte.
        let length = u8::try_from(content.len()).unwrap_or_default();
        [&[tag, length], content].concat()
    };
    let place = wrap(0x86, url.as_bytes());
    let description = wrap(0x30, &[CA_ISSUERS.as_slice(), &place].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], wrap(0x30, &description))
}

/// Sets when a certificate begins and ends, in days before and after now.
fn set_life(params: &mut CertificateParams, now: Timestamp, age: i64, left: i64) {
    let since_1970 = |days: i64| {
        let day = SignedDuration::from_hours(days.saturating_mul(24));
        let second = now.checked_add(day).map_or(0, Timestamp::as_second);
        Duration::from_secs(u64::try_from(second).unwrap_or_default())
    };
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_1970(age.saturating_neg());
    params.not_after = epoch + since_1970(left);
}
