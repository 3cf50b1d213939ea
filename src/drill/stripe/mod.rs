//! Stripe's side of a drill: test events as Stripe builds them, signed as Stripe signs them, and sent to the
//! product's own endpoint.

mod endpoint;
mod event;

pub(super) use endpoint::{Endpoint, Sent, Signing};
pub(super) use event::{Event, Purchase};
