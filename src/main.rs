//! The launchready binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    launchready::cli::run()
}
