//! An agent works within the memory that `docs/agent.md` names, and what it held is taken over when the
//! kernel takes that away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::heard::OUTAGES;
use crate::pair::Pair;
use crate::rig::PATIENCE;
use crate::support::has;
use crate::support::missing::lacks;

/// What `docs/agent.md` gives an agent with a few products, in mebibytes.
const MEBIBYTES: usize = 64;

/// A group of processes that has so much memory and no more.
struct Group {
    folder: PathBuf,
    is_second: bool,
}

impl Group {
    fn make(test: &str) -> Option<Self> {
        let name = format!("launchready-test-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/memory");
        let second = Path::new("/sys/fs/cgroup");
        let is_second = !first.is_dir();
        let folder = if is_second { second.join(&name) } else { first.join(&name) };
        let limit = if is_second { "memory.max" } else { "memory.limit_in_bytes" };
        let bytes = (MEBIBYTES * 1024 * 1024).to_string();
        if is_second {
            // Groups below have a limit of their own only where this one hands that on; it may do so already.
            drop(fs::write(second.join("cgroup.subtree_control"), "+memory"));
        }
        let made = fs::create_dir(&folder).and_then(|()| fs::write(folder.join(limit), bytes));
        // Where there is swap, it counts too; older kernels and machines without any have no such file.
        let swap = if is_second { ("memory.swap.max", "0") } else { ("memory.swappiness", "0") };
        drop(fs::write(folder.join(swap.0), swap.1));
        let group = Self { folder, is_second };
        if made.is_err() {
            lacks(test, "nobody but root can limit memory, and the kernel has to let him");
            return None;
        }
        Some(group)
    }

    /// The words that start a program inside, as the first one to be ended when memory is short.
    fn words(&self) -> Vec<String> {
        let join = format!(
            "echo 1000 > /proc/self/oom_score_adj && echo $$ > {}/cgroup.procs && exec \"$@\"",
            self.folder.display()
        );
        ["sh", "-c", &join, "sh"].map(str::to_owned).to_vec()
    }

    /// Takes all of its memory, so that the kernel ends whoever may be ended.
    fn crowd(&self) {
        let script = format!(
            "echo $$ > {}/cgroup.procs && exec head -c {MEBIBYTES}M /dev/zero > /dev/shm/launchready-crowd-{}",
            self.folder.display(),
            std::process::id()
        );
        let done = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        drop(done);
    }

    /// Gives back what the crowd took.
    fn leave() {
        drop(fs::remove_file(format!("/dev/shm/launchready-crowd-{}", std::process::id())));
    }

    /// The most that was taken at once, in bytes.
    fn most(&self) -> usize {
        let name = if self.is_second { "memory.peak" } else { "memory.max_usage_in_bytes" };
        let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        text.trim().parse().unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        Self::leave();
        drop(fs::remove_dir(&self.folder));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_works_in_its_memory_and_when_the_kernel_ends_it_the_other_takes_over() {
    let test = "an_agent_works_in_its_memory";
    if !has(test, &["sh", "head"]) {
        return;
    }
    let page = include_str!("../../docs/agent.md");
    assert!(page.contains(&format!("`MemoryMax={MEBIBYTES}M`")), "the page names the same");
    let Some(group) = Group::make(test) else { return };
    let Some(cluster) = Cluster::start(test, &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    pair.agents[1].within = group.words();
    pair.start().await;
    let (name, url) = OUTAGES[0];
    pair.rig.lab.plant(name).await.unwrap();
    pair.told(url).await;
    pair.goes_on(&[0, 1], 3).await;
    println!("the most of {MEBIBYTES} MiB: {} KiB", group.most() / 1024);
    assert!(!pair.agents[1].has_ended(), "{}", pair.agents[1].tail());

    let end = Instant::now() + PATIENCE;
    while !pair.agents[1].has_ended() {
        assert!(Instant::now() < end, "the kernel ends it: {}", pair.agents[1].tail());
        group.crowd();
    }
    let (second, second_url) = OUTAGES[1];
    pair.rig.lab.plant(second).await.unwrap();
    pair.told(second_url).await;
    pair.goes_on(&[0], 2).await;
    Group::leave();
    pair.agents[1].kill();
    pair.agents[1].start();
    pair.both_ready().await;
    for name in [name, second] {
        pair.rig.lab.heal(name).await.unwrap();
    }
    pair.goes_on(&[1], 1).await;
    pair.all_over().await;
    assert!(pair.prove().await >= 4);
    drop(pair);
}
