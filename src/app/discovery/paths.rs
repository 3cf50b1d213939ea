//! Asks whether something answers at usual addresses of webhooks and sign-in callbacks, without sending
//! anything: by OPTIONS, which runs no handler of events, and by GET as a browser that comes back.

use futures_util::future::join_all;
use launchready_checks::dns::names::unlikely_label;
use launchready_checks::probe::{Http, HttpRequest, Method};
use tokio::time::{Instant, timeout_at};

use super::crawl::Crawl;
use super::names::Names;
use crate::discover::{
    CHECKOUT_FUNCTIONS, OAUTH_PATHS, Stack, WEBHOOK_FUNCTIONS, WEBHOOK_PATHS, exists,
};

/// The most bytes of an answer that are read: only its status counts.
const BYTES: usize = 1024;

/// Looks at the usual addresses, and enters what answers into the stack.
pub(super) async fn look(
    http: &dyn Http,
    stack: &mut Stack,
    names: &Names,
    crawl: &Crawl,
    end: Instant,
) {
    let own = names.supabase_host().map(str::to_owned);
    let functions_at = stack.supabase.as_ref().map(|supabase| {
        let host = own.clone().unwrap_or_else(|| format!("{}.supabase.co", supabase.reference));
        format!("https://{host}/functions/v1")
    });
    if let Some(base) = &functions_at {
        let called = crawl.bundle().functions.iter();
        stack.functions = called.map(|name| format!("{base}/{name}")).collect();
    }
    let mut sites: Vec<String> = Vec::new();
    let product = ["app", "api"].map(|label| format!("{label}.{}", stack.domain));
    let product = product.into_iter().filter(|name| stack.hosts.iter().any(|it| it.name == *name));
    for host in crawl.home_host().map(str::to_owned).into_iter().chain(product) {
        if Some(&host) != own.as_ref() && !sites.contains(&host) {
            sites.push(host);
        }
    }
    let nobodys = unlikely_label(&stack.domain);
    let mut hooks = Vec::new();
    let mut callbacks = Vec::new();
    let mut checkouts = Vec::new();
    if let Some(base) = &functions_at {
        let paths = CHECKOUT_FUNCTIONS.iter().map(|name| format!("{base}/{name}"));
        checkouts.push((format!("{base}/{nobodys}"), paths.collect::<Vec<_>>()));
        let paths = WEBHOOK_FUNCTIONS.iter().map(|name| format!("{base}/{name}"));
        hooks.push((format!("{base}/{nobodys}"), paths.collect::<Vec<_>>()));
    }
    for host in &sites {
        let paths = WEBHOOK_PATHS.iter().map(|path| format!("https://{host}{path}"));
        hooks.push((format!("https://{host}/api/{nobodys}"), paths.collect()));
        let paths = OAUTH_PATHS.iter().map(|path| format!("https://{host}{path}"));
        callbacks.push((format!("https://{host}/auth/{nobodys}"), paths.collect()));
    }
    let asked = |method: Method, lists: Vec<(String, Vec<String>)>| {
        join_all(lists.into_iter().map(move |(beside, urls)| there(http, method, beside, urls)))
    };
    let all = async {
        futures_util::join!(
            asked(Method::Options, hooks),
            asked(Method::Options, checkouts),
            asked(Method::Get, callbacks),
        )
    };
    if let Ok((hooks, checkouts, callbacks)) = timeout_at(end, all).await {
        stack.webhooks = hooks.into_iter().flatten().collect();
        stack.callbacks = callbacks.into_iter().flatten().collect();
        for address in checkouts.into_iter().flatten() {
            if !stack.functions.contains(&address) {
                stack.functions.push(address);
            }
        }
    }
}

/// The addresses at which something is, where the one beside them holds nothing.
async fn there(http: &dyn Http, method: Method, beside: String, urls: Vec<String>) -> Vec<String> {
    let status = async |url: String| {
        let request = HttpRequest::get(url).method(method).at_most(BYTES);
        http.send(request).await.ok().map(|answer| answer.status)
    };
    let Some(beside) = status(beside).await.filter(|status| *status == 404) else {
        return Vec::new();
    };
    let asked = join_all(urls.into_iter().map(async |url| {
        let status = status(url.clone()).await?;
        exists(status, beside).then_some(url)
    }));
    asked.await.into_iter().flatten().collect()
}
