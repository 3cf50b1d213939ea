//! `[project.drill]`: what the drills of a project may use. Drills change things, so each key is a key of
//! its own, of a test account, and nothing that only reads is ever used for writing.

use std::collections::BTreeMap;

use launchready_checks::contract::Age;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::secret::SecretRef;

/// `[project.drill]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DrillTable {
    /// The endpoint of the product that takes Stripe's test events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The signing secret (`whsec_…`) of that endpoint in test mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<SecretRef>,
    /// The database that the endpoint writes to, for reading; without it that of `[project.database]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<SecretRef>,
    /// The same database, as a user who may delete rows of the mapped tables: how a drill takes back what
    /// it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_database: Option<SecretRef>,
    /// What a paid checkout must leave beside its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expects: Vec<Expected>,
    /// Metadata of the product's own checkouts that its endpoint needs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What the test checkout costs, in the smallest coin.
    pub amount: u64,
    /// Its currency.
    pub currency: String,
    /// The buyer's address; without it launchready-drill@DOMAIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How long rows, contacts and tickets are waited for.
    pub settle: Age,
    /// A key of the CRM that may delete contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crm_token: Option<SecretRef>,
    /// A key of the help desk that may make and delete requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_token: Option<SecretRef>,
    /// The requests of the drill `support-routing`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request: Vec<RequestTable>,
    /// The two test users of the drill `two-users`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<UserTable>,
    /// The tables whose rows belong to a user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owned: Vec<OwnedTable>,
}

/// What a paid checkout leaves beside its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// One contact in the CRM.
    Contact,
    /// One request at the help desk.
    Ticket,
}

/// One request of the drill `support-routing`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTable {
    /// What the customer writes in the subject, such as `I want my money back`.
    pub subject: String,
    /// What the customer writes.
    pub text: String,
    /// Tags that the desk must set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The group, team or inbox that it must reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

/// One test user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserTable {
    /// The address that the user signs in with.
    pub email: String,
    /// The password.
    pub password: SecretRef,
}

/// A table whose rows belong to a user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnedTable {
    /// The table, as the API names it.
    pub table: String,
    /// The column that holds the owner's id.
    pub owner: String,
    /// The column that tells rows apart.
    #[serde(default = "usual_key")]
    pub key: String,
    /// The columns of a row that a user may make; without them an existing row is looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub row: BTreeMap<String, Value>,
}

impl Default for DrillTable {
    /// A table that allows nothing.
    fn default() -> Self {
        Self {
            webhook: None,
            webhook_secret: None,
            database: None,
            undo_database: None,
            expects: Vec::new(),
            metadata: BTreeMap::new(),
            amount: 100,
            currency: "usd".to_owned(),
            email: None,
            settle: Age::secs(30),
            crm_token: None,
            support_token: None,
            request: Vec::new(),
            user: Vec::new(),
            owned: Vec::new(),
        }
    }
}

impl DrillTable {
    /// Every credential that the table names, with the key that names it.
    pub(in crate::config) fn credentials(&self) -> Vec<(String, &SecretRef)> {
        let named = [
            ("webhook_secret", &self.webhook_secret),
            ("database", &self.database),
            ("undo_database", &self.undo_database),
            ("crm_token", &self.crm_token),
            ("support_token", &self.support_token),
        ];
        let named = named.into_iter().filter_map(|(key, it)| Some((key.to_owned(), it.as_ref()?)));
        let users = self.user.iter().enumerate();
        let users = users.map(|(index, user)| (format!("user[{index}].password"), &user.password));
        named.chain(users).map(|(key, it)| (format!("drill.{key}"), it)).collect()
    }
}

fn usual_key() -> String {
    "id".to_owned()
}
