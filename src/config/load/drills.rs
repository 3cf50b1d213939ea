//! `[project.drill]`: what the schema cannot see.

use launchready_checks::contract::Age;

use super::reader::Reader;
use crate::config::file::{AccountTables, DrillTable, SupportKind};

/// The shortest and longest wait for what a drill leaves.
const SETTLE: (Age, Age) = (Age::secs(1), Age::minutes(10));
/// A name that may stand in the path of an API.
const NAME_CHARS: usize = 63;

impl Reader<'_> {
    /// Checks the table of a project's drills.
    pub(super) fn drill(&mut self, table: &DrillTable, accounts: &AccountTables, key: &str) {
        let key = format!("{key}.drill");
        if let Some(address) = &table.webhook {
            self.url(&format!("{key}.webhook"), address);
        }
        match (&table.webhook, &table.webhook_secret) {
            (Some(_), None) => self.error(
                &format!("{key}.webhook"),
                "its signing secret is missing; add webhook_secret = { env = \"NAME\" } with the whsec_… of \
                 the endpoint in test mode",
            ),
            (None, Some(_)) => self.error(
                &format!("{key}.webhook_secret"),
                "there is no webhook; add webhook = \"https://…\", the endpoint that takes test events",
            ),
            (Some(_), Some(_)) | (None, None) => {}
        }
        self.within(&format!("{key}.settle"), table.settle, SETTLE.0, SETTLE.1);
        let letters = table.currency.bytes().all(|byte| byte.is_ascii_lowercase());
        if table.currency.len() != 3 || !letters {
            let message =
                format!("{:?} is no currency; write three letters as in \"usd\"", table.currency);
            self.error(&format!("{key}.currency"), message);
        }
        if !table.user.is_empty() && table.user.len() != 2 {
            let message = "the drill needs two users; write [[project.drill.user]] twice";
            self.error(&format!("{key}.user"), message);
        }
        for (index, owned) in table.owned.iter().enumerate() {
            for (name, value) in
                [("table", &owned.table), ("owner", &owned.owner), ("key", &owned.key)]
            {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                if value.is_empty() || value.len() > NAME_CHARS || !value.bytes().all(fits) {
                    let message = format!("{value:?} is no name; write letters, digits and _");
                    self.error(&format!("{key}.owned[{index}].{name}"), message);
                }
            }
        }
        let desk = accounts.support.as_ref().map(|table| table.kind);
        if !table.request.is_empty() && desk != Some(SupportKind::Zendesk) {
            let message = "requests can be made at Zendesk alone; add [project.support] with kind = \"zendesk\", or \
                           take [[project.drill.request]] out";
            self.error(&format!("{key}.request"), message);
        }
    }
}
