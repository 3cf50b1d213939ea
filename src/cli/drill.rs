//! `launchready drill`: synthetic customers, with a dry run, a proof and an undo.
