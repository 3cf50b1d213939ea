//! Names that a shell completes: ids of checks, and what `explain` has a page for.
//!
//! Any text is taken, so that a name which is not known is answered by the command, with the closest one.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use launchready_checks::registry;

use crate::handbook::{accounts, topics};

/// What is completed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// The ids of all checks.
    Checks,
    /// Checks, finding codes, topics and accounts.
    Pages,
}

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let ids = registry::ALL.iter().map(|plugin| plugin.meta.id);
        let names: Box<dyn Iterator<Item = PossibleValue>> = match self {
            Self::Checks => Box::new(ids.map(PossibleValue::new)),
            Self::Pages => {
                let codes = registry::ALL.iter().flat_map(|plugin| plugin.meta.findings);
                let codes = codes.map(|spec| spec.code);
                let topics = topics().into_iter().chain(accounts()).map(|topic| topic.name);
                Box::new(ids.chain(topics).chain(codes).map(PossibleValue::new))
            }
        };
        Some(names)
    }
}
