//! The ports to the accounts of a written-down world.

use std::sync::Arc;

use super::Replay;
use crate::probe::{
    Accounts, Automation, Crm, Database, Desk, Edge, Hosting, Payments, Slot, Speed, Supabase,
    SupabasePublic,
};

impl Replay {
    /// The ports to accounts that are written down.
    pub(super) fn accounts(replay: &Arc<Self>) -> Accounts {
        let mut accounts = Accounts::default();
        if replay.world.payments.is_some() {
            accounts.payments = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Payments>);
        }
        if replay.world.database.is_some() {
            accounts.database = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Database>);
        }
        if replay.world.automation.is_some() {
            accounts.automation = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Automation>);
        }
        if replay.world.edge.is_some() {
            accounts.edge = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Edge>);
        }
        if replay.world.hosting.is_some() {
            accounts.hosting = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Hosting>);
        }
        if replay.world.speed.is_some() {
            accounts.speed = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Speed>);
        }
        if replay.world.desk.is_some() {
            accounts.desk = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Desk>);
        }
        if replay.world.crm.is_some() {
            accounts.crm = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Crm>);
        }
        if let Some(world) = &replay.world.supabase {
            if !world.no_token {
                accounts.supabase = Slot::ready(Arc::<Self>::clone(replay) as Arc<dyn Supabase>);
            }
            if world.public.is_some() {
                let public = Arc::<Self>::clone(replay) as Arc<dyn SupabasePublic>;
                accounts.supabase_public = Slot::ready(public);
            }
        }
        accounts
    }
}
