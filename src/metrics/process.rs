//! What the process uses, as the kernel and the runtime tell it; nothing where there is no `/proc`.

use std::fs;

/// Clock ticks of `/proc` in a second: fixed at 100 for programs on every usual architecture
/// (`USER_HZ` in the kernel's `include/asm-generic/param.h`).
const TICKS: f64 = 100.0;

/// The figures of this process, by the name of their metric.
pub(super) fn figures() -> Vec<(&'static str, f64)> {
    let mut found = Vec::new();
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        found.push(("launchready_tasks", runtime.metrics().num_alive_tasks() as f64));
    }
    // The name of the program stands in brackets and may hold blanks and brackets itself.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some((_, fields)) = stat.rsplit_once(") ") {
        let fields: Vec<&str> = fields.split(' ').collect();
        // Fields as proc(5) numbers them; those behind the name begin with the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        if let (Some(user), Some(system)) = (field(14), field(15)) {
            found.push(("process_cpu_seconds_total", (user + system) / TICKS));
        }
        if let (Some(start), Some(boot)) = (field(22), boot()) {
            found.push(("process_start_time_seconds", boot + start / TICKS));
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    if let Some(kibibytes) = resident.and_then(|rest| rest.trim().strip_suffix(" kB"))
        && let Ok(kibibytes) = kibibytes.parse::<f64>()
    {
        found.push(("process_resident_memory_bytes", kibibytes * 1024.0));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Reading the folder opens one more.
        found.push(("process_open_fds", open.count().saturating_sub(1) as f64));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    if let Some(most) = limit.and_then(|rest| rest.split_whitespace().next()?.parse().ok()) {
        found.push(("process_max_fds", most));
    }
    found
}

/// When the machine started, in Unix seconds.
fn boot() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}
