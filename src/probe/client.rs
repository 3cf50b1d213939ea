//! The client for services that the user or a registry names: strict about certificates, with the
//! configured resolvers. The outside look uses [`super::HttpProbe`] instead.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::probe::{AgentFault, Dns, ProbeError, TargetFault, addresses};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};

use super::trust::provider;

/// Time to connect, and for the whole answer.
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(20);
/// Redirects within one service.
const REDIRECTS: usize = 5;

struct Resolver(Arc<dyn Dns>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str();
            let look = addresses(dns.as_ref(), name).await?.require(name)?;
            let addresses = look.addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// A client that trusts `roots` and asks `dns`.
///
/// # Errors
/// When the cryptography of this build cannot speak TLS.
pub(super) fn client(
    dns: Arc<dyn Dns>,
    roots: &Arc<RootCertStore>,
) -> Result<reqwest::Client, ProbeError> {
    build(dns, roots, redirect::Policy::limited(REDIRECTS))
}

/// A client for requests that carry a credential: it follows nothing, so that no credential is led to
/// another host.
///
/// # Errors
/// When the cryptography of this build cannot speak TLS.
pub(crate) fn account_client(
    dns: Arc<dyn Dns>,
    roots: &Arc<RootCertStore>,
) -> Result<reqwest::Client, ProbeError> {
    build(dns, roots, redirect::Policy::none())
}

fn build(
    dns: Arc<dyn Dns>,
    roots: &Arc<RootCertStore>,
    follow: redirect::Policy,
) -> Result<reqwest::Client, ProbeError> {
    let bug = |error: String| ProbeError::from(AgentFault::Bug(error));
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bug(error.to_string()))?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .dns_resolver(Arc::new(Resolver(dns)))
        .redirect(follow)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent(concat!("launchready/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .build()
        .map_err(|error| bug(error.to_string()))
}

/// Calls a URL that the user named, and gives back the status of the answer.
///
/// # Errors
/// It was not reached.
pub(crate) async fn call(
    dns: Arc<dyn Dns>,
    roots: &Arc<RootCertStore>,
    url: &str,
) -> Result<u16, ProbeError> {
    let answer = client(dns, roots)?.get(url).send().await;
    // The host alone: a path or a query may be a secret.
    let host = url::Url::parse(url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let what = host.unwrap_or_else(|| "its address".to_owned());
    answer.map(|answer| answer.status().as_u16()).map_err(|error| fault(&error, &what))
}

/// The body of an answer, at most `limit` bytes.
///
/// # Errors
/// [`TargetFault::TooLarge`] past the limit, or the fault of the transfer.
pub(crate) async fn bounded(
    mut answer: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, ProbeError> {
    let what = answer.url().host_str().unwrap_or_default().to_owned();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error, &what))? {
        if body.len() + chunk.len() > limit {
            return Err(TargetFault::TooLarge(format!("{what} sends over {limit} bytes")).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whose fault a failed request is; the text never holds a path or query.
pub(crate) fn fault(error: &reqwest::Error, what: &str) -> ProbeError {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if let Some(fault) = inner.downcast_ref::<ProbeError>() {
            return fault.clone();
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && io.get_ref().is_none()
        {
            return super::route::blame(io, what.to_owned());
        }
        source = inner.source();
    }
    if error.is_timeout() {
        TargetFault::TimedOut(what.to_owned()).into()
    } else if error.is_connect() {
        TargetFault::Tls(format!("{what} cannot be reached securely")).into()
    } else {
        TargetFault::Malformed(format!("{what} breaks the protocol")).into()
    }
}
