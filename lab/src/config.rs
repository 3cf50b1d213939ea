//! The launchready config that audits a world.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use toml::{Table, Value};

use crate::Route;

/// What the config is made of.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) project: &'a Table,
    pub(crate) resolvers: &'a [SocketAddr],
    pub(crate) rdap: SocketAddr,
    /// Where the fakes of outside systems are, by name.
    pub(crate) apis: &'a BTreeMap<String, SocketAddr>,
    pub(crate) ca: &'a Path,
    pub(crate) routes: &'a [Route],
    /// Where everything else leads.
    pub(crate) nowhere: SocketAddr,
}

/// Writes the config.
pub(crate) fn render(parts: &Parts<'_>) -> String {
    let rule = |from: String, to: SocketAddr| {
        let mut rule = Table::new();
        rule.insert("from".to_owned(), from.into());
        rule.insert("to".to_owned(), to.to_string().into());
        Value::Table(rule)
    };
    let own = parts.resolvers.iter().chain([&parts.rdap]).map(|own| rule(own.to_string(), *own));
    let mut rules: Vec<Value> = own.collect();
    rules.extend(parts.routes.iter().map(|route| rule(route.from.to_string(), route.to)));
    rules.push(rule("*:*".to_owned(), parts.nowhere));

    let resolvers: Vec<Value> = parts.resolvers.iter().map(|r| r.to_string().into()).collect();
    let mut network = Table::new();
    network.insert("resolvers".to_owned(), resolvers.into());
    network.insert("extra_roots".to_owned(), vec![parts.ca.display().to_string()].into());
    network.insert("allow_private".to_owned(), true.into());
    network.insert("rdap".to_owned(), format!("http://{}/", parts.rdap).into());
    network.insert("connect_to".to_owned(), rules.into());

    let mut config = Table::new();
    config.insert("network".to_owned(), network.into());
    let mut project = Value::Table(parts.project.clone());
    find_apis(&mut project, parts.apis);
    config.insert("project".to_owned(), vec![project].into());
    config.to_string()
}

/// Puts the address of a fake wherever a text is `lab:` and its name.
fn find_apis(value: &mut Value, apis: &BTreeMap<String, SocketAddr>) {
    match value {
        Value::String(text) => {
            let address = text.strip_prefix("lab:").and_then(|name| apis.get(name));
            if let Some(address) = address {
                *text = format!("http://{address}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| find_apis(value, apis)),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| find_apis(value, apis)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}
