//! Keeps the agent's clock in step with that of the store's server, so that agents on several machines agree on
//! the time whatever their own clocks show.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use super::telling::Telling;
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::store::{Store, StoreError};

/// How often the server is asked.
const EVERY: Duration = Duration::from_secs(10);
/// How often a machine that slept is looked for, and a server that did not answer is asked again.
const LOOK: Duration = Duration::from_secs(1);
/// A machine whose clock passed more or less time than this beyond what went by has slept, or was set.
const SLEPT: SignedDuration = SignedDuration::from_secs(1);
/// A machine whose clock is off by more than this is told of.
const OFF: SignedDuration = SignedDuration::from_secs(30);
/// The first answer may have taken long, because the server had to be reached first.
const FIRST: usize = 2;

/// Brings the clock in step before anything is reckoned with it.
pub(super) async fn once(store: &dyn Store, machine: &SharedClock) -> Result<(), StoreError> {
    for _ in 0..FIRST {
        ask(store, machine).await?;
    }
    Ok(())
}

/// Asks what time it is; whether there is somebody to ask.
async fn ask(store: &dyn Store, machine: &SharedClock) -> Result<bool, StoreError> {
    let asked = Instant::now();
    let time = store.time().await?;
    if let Some(time) = time {
        machine.follow(time, asked);
    }
    Ok(time.is_some())
}

/// Keeps the clock in step, and tells of one that is off, until dropped.
pub(super) async fn keep(store: &dyn Store, machine: &SharedClock, telling: &Telling) {
    let mut was_off = false;
    let mut asked = Instant::now();
    let mut last = (SystemClock.now(), asked);
    loop {
        let ahead = machine.ahead();
        telling.clock_ahead(ahead);
        let is_off = ahead.abs() > OFF;
        if is_off != was_off {
            tell(ahead, is_off);
            was_off = is_off;
        }
        loop {
            sleep(LOOK).await;
            let here = (SystemClock.now(), Instant::now());
            let went_by = SignedDuration::try_from(here.1 - last.1).unwrap_or(SignedDuration::MAX);
            let slept = (here.0.duration_since(last.0) - went_by).abs() > SLEPT;
            last = here;
            if !slept && asked.elapsed() < EVERY {
                continue;
            }
            match ask(store, machine).await {
                Ok(true) => break,
                Ok(false) => std::future::pending().await,
                // The other loops say that the store is away; it is asked again in a moment.
                Err(_away) => {}
            }
        }
        asked = Instant::now();
    }
}

fn tell(ahead: SignedDuration, is_off: bool) {
    let seconds = ahead.as_secs();
    if is_off {
        let side = if seconds > 0 { "ahead of" } else { "behind" };
        let seconds = seconds.abs();
        tracing::warn!(
            "the clock of this machine is {seconds} s {side} that of the store's server, whose time counts; \
             let NTP put it right"
        );
    } else {
        tracing::info!("the clock of this machine agrees with that of the store's server again");
    }
}
