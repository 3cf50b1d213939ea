//! A world that takes less work to look at.

use launchready_lab::World;

/// A world that looks back on eight days of sales instead of on forty days: what a defect does shows in them as well, and
/// reading sales is half of the work of an audit.
pub(crate) fn small(world: World) -> World {
    world.changed("api.stripe.sales.days = 8").unwrap()
}
