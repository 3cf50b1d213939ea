//! See the handbook pages beside the checks of this area.
