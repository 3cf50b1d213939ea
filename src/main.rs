//! The launchready binary: its heap, then parse, run, exit code.

use std::process::ExitCode;

/// An agent of thousands of products makes and drops millions of small pieces an hour: with the heap of glibc that
/// costs a quarter of its processor time more, and memory that stays (`benches/RESULTS.md`).
#[cfg(target_os = "linux")]
#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    launchready::cli::run()
}
