//! `launchready store`: everything that an agent remembers, carried from one store to another.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::args::{MigrateArgs, StoreAction, StoreCommand};
use super::output::print;
use super::{Exit, UsageError};
use crate::clock::SystemClock;
use crate::config::{StoreAddress, load};
use crate::store::{Carried, transfer};

pub(super) fn run(args: &StoreCommand) -> anyhow::Result<Exit> {
    let StoreAction::Migrate(args) = &args.action;
    crate::app::runtime(false)?.block_on(migrate(args))
}

async fn migrate(args: &MigrateArgs) -> anyhow::Result<Exit> {
    let here = &std::env::current_dir().context("cannot tell which folder this is")?;
    let typed = |option: &str, text: &str| {
        let address = StoreAddress::typed(text, here).map_err(|why| usage(option, &why))?;
        Ok::<_, UsageError>(address.in_full(here))
    };
    let from = if let Some(text) = &args.from {
        typed("--from", text)?
    } else {
        let settings = load(&args.config)?.settings();
        settings.store.in_full(&here.join(settings.folder))
    };
    // What is shown is copied into a config, whose paths count from its own folder.
    let to = typed("--to", &args.to)?;
    if from == to {
        return Err(usage("--to", "it is the store that --from names; name another one").into());
    }
    let address = |store: &StoreAddress| store.address().map(str::to_owned).map_err(UsageError);
    let carried = transfer((&address(&from)?, here), (&address(&to)?, here), &SystemClock).await?;
    if args.json {
        print(&json(&carried)?);
    } else {
        print(&text(&carried, &from, &to));
    }
    Ok(Exit::Clean)
}

fn usage(option: &str, why: &str) -> UsageError {
    UsageError(format!("{option}: {why}"))
}

fn json(carried: &[Carried]) -> anyhow::Result<String> {
    let rows: serde_json::Map<String, serde_json::Value> =
        carried.iter().map(|one| (one.table.to_owned(), one.rows.into())).collect();
    Ok(serde_json::to_string_pretty(&serde_json::json!({ "rows": rows }))? + "\n")
}

fn text(carried: &[Carried], from: &StoreAddress, to: &StoreAddress) -> String {
    let rows: u64 = carried.iter().map(|one| one.rows).sum();
    let mut text = format!("carried {rows} rows over and compared them\n");
    for one in carried.iter().filter(|one| one.rows > 0) {
        // Writing into a string cannot fail.
        _ = writeln!(text, "  {:<14} {:>9}", one.table, one.rows);
    }
    _ = write!(
        text,
        "\nNext: name the new store in the config and start the agent.\n  from  {from}\n  to    {to}\n\
         No row of the old store has changed; its tables are those of this version.\n\
         Keep it until the agent has run for a while, and never let an agent run on\n\
         both: each would tell you everything.\n"
    );
    text
}
