//! The port to programs: no shell, a clean environment, bounded time and output, and nothing left behind.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use launchready_checks::probe::{
    AgentFault, Answer, Command, CommandAnswer, CommandCall, CommandEnd, ProbeError,
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command as Spawned};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Programs that run at the same time.
const AT_ONCE: usize = 8;
/// Where programs look for others; that of the agent may hold a folder that anybody can write to.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The variable by which processes are found that have left the group of their program.
const MARK: &str = "LAUNCHREADY_RUN";
/// How long outputs may stay open after the program itself has ended.
const DRAIN: Duration = Duration::from_secs(1);
/// How often marked processes are looked for: each round ends those that the last one did not see.
const ROUNDS: usize = 5;

/// Runs programs.
#[derive(Debug)]
pub struct CommandProbe {
    places: Semaphore,
}

impl Default for CommandProbe {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }
}

impl Command for CommandProbe {
    fn run(&self, call: CommandCall) -> Answer<'_, Result<CommandAnswer, ProbeError>> {
        Box::pin(async move {
            let place = self.places.acquire().await;
            let _place = place.map_err(|_closed| AgentFault::Bug("no more programs".to_owned()))?;
            run(&call).await
        })
    }
}

async fn run(call: &CommandCall) -> Result<CommandAnswer, ProbeError> {
    let began = Instant::now();
    let mark = mark();
    let mut child = spawn(call, &mark)?;
    let mut family = Family::of(&child, &mark);
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(AgentFault::Bug("a program without outputs".to_owned()).into());
    };
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let until = began + Duration::from_millis(call.timeout_ms);
    let end = {
        let read = async {
            let reading = tokio::join!(
                read(stdout, &mut out, call.max_output),
                read(stderr, &mut complaints, call.max_output),
            );
            matches!(reading, (Read::Whole, Read::Whole))
        };
        tokio::pin!(read);
        tokio::select! {
            biased;
            whole = &mut read => if whole {
                // Both outputs are closed; most programs end at that moment.
                match timeout_at(until, child.wait()).await {
                    Ok(status) => ended(status, false),
                    Err(_elapsed) => Ok(CommandEnd::TimedOut),
                }
            } else {
                Ok(CommandEnd::Flooded)
            },
            status = child.wait() => match timeout(DRAIN, &mut read).await {
                Ok(true) => ended(status, false),
                Ok(false) => Ok(CommandEnd::Flooded),
                // A process that it has started holds an output.
                Err(_elapsed) => ended(status, true),
            },
            () = sleep_until(until) => Ok(CommandEnd::TimedOut),
        }
    };
    let left = family.end();
    // The program itself is waited for, so that nothing of it stays in the table of processes.
    drop(timeout(DRAIN, child.wait()).await);
    let end = match end.map_err(|error| of_start(call, &error))? {
        CommandEnd::Exited(code) if left => CommandEnd::LeftBehind(code),
        end => end,
    };
    Ok(CommandAnswer {
        end,
        stdout: String::from_utf8_lossy(&out).into_owned(),
        stderr: String::from_utf8_lossy(&complaints).into_owned(),
        duration_ms: began.elapsed().as_secs_f64() * 1000.0,
    })
}

fn spawn(call: &CommandCall, mark: &str) -> Result<Child, ProbeError> {
    let mut parts = call.program.iter();
    let program = parts
        .next()
        .filter(|path| path.starts_with('/'))
        .ok_or_else(|| AgentFault::Misconfigured("a program needs an absolute path".to_owned()))?;
    Spawned::new(program)
        .args(parts)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .env(MARK, mark)
        .envs(call.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| of_start(call, &error))
}

/// Why a program does not run.
fn of_start(call: &CommandCall, error: &io::Error) -> ProbeError {
    let path = call.program.first().map_or("", String::as_str);
    let what = match error.kind() {
        io::ErrorKind::NotFound => {
            format!("there is no program {path}, or not what its first line names")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{path} may not be run by the user of launchready")
        }
        _ => format!("{path} cannot be run: {error}"),
    };
    AgentFault::Misconfigured(what).into()
}

fn ended(status: io::Result<ExitStatus>, left: bool) -> io::Result<CommandEnd> {
    let status = status?;
    Ok(match status.code() {
        Some(code) if left => CommandEnd::LeftBehind(code),
        Some(code) => CommandEnd::Exited(code),
        None => CommandEnd::Signalled(status.signal().unwrap_or_default()),
    })
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Whole,
    TooMuch,
}

/// Reads to the end, or to one byte more than may be.
async fn read(from: impl AsyncRead + Unpin, into: &mut Vec<u8>, most: usize) -> Read {
    let mut from = from.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1));
    // An output that breaks has ended, too.
    drop(from.read_to_end(into).await);
    if into.len() > most { Read::TooMuch } else { Read::Whole }
}

/// A value that no other run has.
fn mark() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed))
}

/// A program with everything that it has started. Whoever stops waiting for it ends all of it.
struct Family {
    leader: Option<Pid>,
    entry: Vec<u8>,
}

impl Family {
    fn of(child: &Child, mark: &str) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let mut entry = format!("{MARK}={mark}").into_bytes();
        // Entries end with a zero byte, so that one number is not taken for the beginning of another.
        entry.push(0);
        Self { leader: id.and_then(Pid::from_raw), entry }
    }

    /// Ends every process, and says whether there was one beside the program itself.
    fn end(&mut self) -> bool {
        let Some(leader) = self.leader.take() else { return false };
        let mut others = false;
        for _ in 0..ROUNDS {
            let members = self.members(leader);
            if members.is_empty() {
                break;
            }
            others |= members.iter().any(|process| *process != leader);
            // A group without processes is an error here, and fine; so is one that is gone, or another
            // user's.
            _ = kill_process_group(leader, Signal::KILL);
            for process in members {
                _ = kill_process(process, Signal::KILL);
            }
        }
        others
    }

    /// Processes that run, of the group or with the mark in their environment.
    fn members(&self, leader: Pid) -> Vec<Pid> {
        let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<i32>().ok());
        let of_family = ids.filter(|id| {
            let Some(group) = running_in(*id) else { return false };
            group == leader.as_raw_nonzero().get() || {
                let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
                environment.windows(self.entry.len()).any(|window| window == self.entry)
            }
        });
        of_family.filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end();
    }
}

/// The group of a process; none where it has ended, and waits to be noticed (proc(5), `stat`).
fn running_in(id: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program may hold anything, also a bracket.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let _parent = fields.next()?;
    let group = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(group)
}
