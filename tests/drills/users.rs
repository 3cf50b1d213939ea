//! Two users against real row level security: what policies keep apart, what they let through, and that no
//! row and no session is left.

use std::sync::Arc;

use launchready::clock::SystemClock;
use launchready::config::{Config, parse};
use launchready::connect::{Reach, accounts};
use launchready::drill::{
    Drill, Outcome, Plan, Ran, Scene, StepState, Undo, UndoState, new_mark, outcome, plan, run,
    undo,
};
use launchready::store::{Store, open};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use crate::cluster::{Cluster, DATABASE};
use crate::project::{PUBLIC, Project, USERS};

const SUPABASE: &str = include_str!("../fixtures/database/supabase.sql");
const TABLE: &str = "
    create table public.notes (
        id bigint generated always as identity primary key,
        user_id uuid not null,
        title text not null,
        size integer not null default 0
    );
    grant all on public.notes to anon, authenticated;
";
const GOOD: &str = "
    alter table public.notes enable row level security;
    create policy \"read\" on public.notes for select to authenticated using (auth.uid() = user_id);
    create policy \"make\" on public.notes for insert to authenticated with check (auth.uid() = user_id);
    create policy \"change\" on public.notes for update to authenticated using (auth.uid() = user_id);
    create policy \"delete\" on public.notes for delete to authenticated using (auth.uid() = user_id);
";
const ROW: &str = "row = { title = \"drill {mark}\", size = 3 }";

/// The project with its database, and a config that leads there.
struct World {
    cluster: Cluster,
    project: Project,
    folder: TempDir,
    store: Arc<dyn Store>,
}

impl World {
    /// `None` where PostgreSQL is not installed.
    async fn start(test: &str) -> Option<Self> {
        let cluster = Cluster::start(test, &[]).await?;
        cluster.sql(SUPABASE).await;
        let owner = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(cluster.address.port())
            .username("owner")
            .database(DATABASE);
        let project = Project::start(owner).await;
        let folder = tempfile::tempdir().unwrap();
        let files = [("public", PUBLIC), ("a", USERS[0].2), ("b", USERS[1].2)];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let store = open("sqlite:launchready.db", folder.path()).await.unwrap();
        Some(Self { cluster, project, folder, store })
    }

    /// The table made anew, with other policies.
    async fn table(&self, policies: &str) {
        self.cluster.sql(&format!("drop table if exists public.notes; {TABLE} {policies}")).await;
    }

    fn config(&self, row: &str, more: &str) -> Config {
        let text = format!(
            "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n\
             [project.supabase]\nref = \"abcdefghijklmnopqrst\"\npublic_key = {{ file = \"public\" }}\n\
             url = \"http://{}\"\n{more}\n\
             [[project.drill.user]]\nemail = \"{}\"\npassword = {{ file = \"a\" }}\n\
             [[project.drill.user]]\nemail = \"{}\"\npassword = {{ file = \"b\" }}\n\
             [[project.drill.owned]]\ntable = \"notes\"\nowner = \"user_id\"\n{row}\n",
            self.project.address, USERS[0].1, USERS[1].1
        );
        parse(&text, self.folder.path()).unwrap_or_else(|errors| panic!("{errors}"))
    }

    async fn scene<T>(
        &self,
        config: &Config,
        mark: &str,
        work: impl AsyncFnOnce(&Scene<'_>) -> T,
    ) -> T {
        let project = &config.projects[0];
        // The first test of a process installs it, and the others find it there.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let reach = Reach::new(client, Arc::new(SystemClock));
        let ports = accounts(&project.accounts, &reach);
        let scene = Scene {
            project: "harbor",
            domain: "harbor.example",
            began: reach.clock.now(),
            mark,
            table: project.drill.as_ref().unwrap(),
            accounts: &project.accounts,
            reach: &reach,
            ports: &ports,
            store: &self.store,
            channels: &[],
        };
        work(&scene).await
    }

    async fn drill(&self, config: &Config) -> (Plan, Ran, Vec<Undo>) {
        let mark = new_mark().unwrap();
        self.scene(config, &mark, async |scene| {
            let plan = plan(Drill::TwoUsers, scene).await;
            let ran = run(Drill::TwoUsers, scene).await;
            (plan, ran, undo(Drill::TwoUsers, scene).await)
        })
        .await
    }

    async fn rows(&self) -> String {
        self.cluster.value("select count(*)::text from public.notes").await
    }
}

/// The steps that ended so, without the name of the table.
fn steps(ran: &Ran, state: StepState) -> Vec<&str> {
    let those = ran.steps.iter().filter(|step| step.state == state);
    those.map(|step| step.what.trim_start_matches("notes: ")).collect()
}

fn fixes(ran: &Ran) -> String {
    ran.steps.iter().filter_map(|step| step.fix.as_deref()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn good_policies_pass_and_nothing_is_left() {
    let Some(world) = World::start("good_policies").await else { return };
    world.table(GOOD).await;
    world
        .cluster
        .sql("insert into public.notes (user_id, title) values (gen_random_uuid(), 'of somebody')")
        .await;
    let (plan, ran, undone) = world.drill(&world.config(ROW, "")).await;
    assert_eq!(plan.lacks, Vec::<String>::new());
    assert_eq!(outcome(&ran.steps), Outcome::Passed, "{:#?}", ran.steps);
    // The sign-in, and six steps each way.
    assert_eq!(steps(&ran, StepState::Held).len(), 13, "{:#?}", ran.steps);
    let told: Vec<_> = undone.iter().map(|one| (one.what.as_str(), one.state)).collect();
    let wanted =
        [("2 rows of notes", UndoState::Done), ("the sessions of the test users", UndoState::Done)];
    assert_eq!(told, wanted);
    assert_eq!((world.rows().await.as_str(), world.project.sessions()), ("1", 0));
    let text = format!("{plan:?} {ran:?} {undone:?}");
    for secret in [USERS[0].2, USERS[1].2, PUBLIC, "token-", USERS[0].1] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// What is wrong with the policies, the statements, the steps that break one way, and words of a fix.
const CASES: &[(&str, &str, &str, &[&str], &str)] = &[
    (
        "reading is open",
        "drop policy \"read\" on public.notes;
         create policy \"read\" on public.notes for select using (true)",
        "",
        &[
            "the second user does not read the row of the first user",
            "a visitor without a login does not read the row of the first user",
        ],
        "on notes for select to authenticated using (auth.uid() = user_id);",
    ),
    (
        "changing lacks the owner",
        "drop policy \"read\" on public.notes; drop policy \"change\" on public.notes;
         create policy \"read\" on public.notes for select using (true);
         create policy \"change\" on public.notes for update to authenticated using (true)",
        "public_tables = [\"public.notes\"]",
        &["the second user does not change the row of the first user"],
        "for update to authenticated using (auth.uid() = user_id) with check (auth.uid() = user_id);",
    ),
    (
        "deleting is open",
        "drop policy \"read\" on public.notes; drop policy \"delete\" on public.notes;
         create policy \"read\" on public.notes for select using (true);
         create policy \"delete\" on public.notes for delete to authenticated using (true)",
        "public_tables = [\"notes\"]",
        &["the second user does not delete the row of the first user"],
        "for delete to authenticated using (auth.uid() = user_id);",
    ),
    (
        "making takes any owner",
        "drop policy \"make\" on public.notes;
         create policy \"make\" on public.notes for insert to authenticated with check (true)",
        "",
        &["the second user makes no row in the name of the first user"],
        "for insert to authenticated with check (auth.uid() = user_id);",
    ),
    (
        "no row level security",
        "alter table public.notes disable row level security",
        "",
        &[
            "the second user does not read the row of the first user",
            "a visitor without a login does not read the row of the first user",
            "the second user does not change the row of the first user",
            "the second user makes no row in the name of the first user",
            "the second user does not delete the row of the first user",
        ],
        "alter table notes enable row level security;",
    ),
];

#[tokio::test]
async fn each_hole_is_told_by_its_own_step_and_its_own_policy() {
    let Some(world) = World::start("each_hole").await else { return };
    for (what, policies, more, broken, fix) in CASES {
        world.table(&format!("{GOOD};{policies}")).await;
        let (_, ran, undone) = world.drill(&world.config(ROW, more)).await;
        let both: Vec<String> = broken
            .iter()
            .map(|step| (*step).to_owned())
            .chain(broken.iter().map(|step| {
                let step = step.replace("first", "FIRST").replace("second", "first");
                step.replace("FIRST", "second")
            }))
            .collect();
        assert_eq!(steps(&ran, StepState::Broken), both, "{what}: {:#?}", ran.steps);
        assert!(steps(&ran, StepState::Unseen).is_empty(), "{what}: {:#?}", ran.steps);
        assert!(fixes(&ran).contains(fix), "{what}: {}", fixes(&ran));
        assert!(undone.iter().all(|one| one.state == UndoState::Done), "{what}: {undone:?}");
        assert_eq!((world.rows().await.as_str(), world.project.sessions()), ("0", 0), "{what}");
    }
}

#[tokio::test]
async fn a_drill_that_was_killed_is_taken_back_by_its_mark_alone() {
    let Some(world) = World::start("killed").await else { return };
    world.table(GOOD).await;
    world
        .cluster
        .sql(
            "drop policy \"make\" on public.notes;
              create policy \"make\" on public.notes for insert to authenticated with check (true);
              insert into public.notes (user_id, title)
                  values ('0f0e2c1a-0000-4000-8000-00000000000a', 'an older one')",
        )
        .await;
    let (config, mark) = (world.config(ROW, ""), new_mark().unwrap());
    world.scene(&config, &mark, async |scene| run(Drill::TwoUsers, scene).await).await;
    assert_eq!((world.rows().await.as_str(), world.project.sessions()), ("5", 2));
    let other = new_mark().unwrap();
    let undone =
        world.scene(&config, &other, async |scene| undo(Drill::TwoUsers, scene).await).await;
    assert_eq!(
        (undone.len(), world.rows().await.as_str()),
        (1, "5"),
        "another drill's: {undone:?}"
    );
    for rows in [Some("4 rows of notes"), None] {
        let undone =
            world.scene(&config, &mark, async |scene| undo(Drill::TwoUsers, scene).await).await;
        let told = undone.iter().find(|one| one.what.contains("row"));
        assert_eq!(told.map(|one| one.what.as_str()), rows, "{undone:?}");
        assert!(undone.iter().all(|one| one.state == UndoState::Done), "{undone:?}");
        assert_eq!((world.rows().await.as_str(), world.project.sessions()), ("1", 0));
    }
    // Without a policy for DELETE the owner cannot take it back, and the statement for that is told.
    world.cluster.sql("drop policy \"delete\" on public.notes").await;
    world.scene(&config, &mark, async |scene| run(Drill::TwoUsers, scene).await).await;
    let undone =
        world.scene(&config, &mark, async |scene| undo(Drill::TwoUsers, scene).await).await;
    let left = undone.iter().find(|one| one.state == UndoState::Left).unwrap();
    let sql = format!("delete from notes where title like '%{mark}%';");
    assert!(left.what == "4 rows of notes" && left.how.contains(&sql), "{left:?}");
    world.cluster.sql(&sql).await;
    assert_eq!(world.rows().await, "1");
}

#[tokio::test]
async fn a_row_that_the_drill_did_not_make_is_only_read() {
    let Some(world) = World::start("existing").await else { return };
    world.table(&format!("{GOOD}; drop policy \"make\" on public.notes")).await;
    let config = world.config(ROW, "");
    let (_, ran, _) = world.drill(&config).await;
    assert_eq!(outcome(&ran.steps), Outcome::NotRun);
    assert!(fixes(&ran).contains("without a row there is no proof"), "{:#?}", ran.steps);
    world
        .cluster
        .sql(
            "drop policy \"change\" on public.notes; drop policy \"delete\" on public.notes;
             create policy \"change\" on public.notes for update to authenticated using (true);
             create policy \"delete\" on public.notes for delete to authenticated using (true);
             insert into public.notes (user_id, title) values
                 ('0f0e2c1a-0000-4000-8000-00000000000a', 'one'),
                 ('0f0e2c1a-0000-4000-8000-00000000000b', 'two')",
        )
        .await;
    let all = "select string_agg(title || size, ',' order by id) from public.notes";
    // Where anybody may read it, such a row proves nothing.
    let (_, ran, _) = world.drill(&world.config("", "public_tables = [\"notes\"]")).await;
    assert_eq!(outcome(&ran.steps), Outcome::NotRun, "{:#?}", ran.steps);
    for (row, policy, ends) in [
        (ROW, "", Outcome::Passed),
        ("", "", Outcome::Passed),
        ("", "create policy \"all\" on public.notes for select using (true)", Outcome::Failed),
    ] {
        if !policy.is_empty() {
            world.cluster.sql(policy).await;
        }
        let (_, ran, undone) = world.drill(&world.config(row, "")).await;
        assert_eq!(outcome(&ran.steps), ends, "{:#?}", ran.steps);
        assert!(steps(&ran, StepState::Left).contains(&"the second user writes nothing there"));
        assert_eq!(world.cluster.value(all).await, "one0,two0");
        assert!(undone.iter().all(|one| !one.what.contains("row")), "{undone:?}");
    }
}

#[tokio::test]
async fn what_is_lacking_is_told_with_its_remedy() {
    let Some(world) = World::start("lacking").await else { return };
    world.table(GOOD).await;
    let lacks = async |config: &Config| {
        let mark = new_mark().unwrap();
        let plan =
            world.scene(config, &mark, async |scene| plan(Drill::TwoUsers, scene).await).await;
        plan.lacks.join("\n")
    };
    let told = lacks(&world.config("row = { size = 3 }", "")).await;
    assert!(told.contains("give a text column of row the value \"{mark}\""), "{told}");
    let (_, ran, _) = world.drill(&world.config("row = { name = \"x\" }", "")).await;
    assert!(fixes(&ran).contains("notes has no column of such a name"), "{:#?}", ran.steps);
    let (_, ran, _) = world.drill(&world.config("row = { title = \"x\", size = \"y\" }", "")).await;
    assert_eq!(outcome(&ran.steps), Outcome::NotRun, "{:#?}", ran.steps);
    std::fs::write(world.folder.path().join("b"), "a wrong one").unwrap();
    let (_, ran, undone) = world.drill(&world.config(ROW, "")).await;
    assert_eq!(outcome(&ran.steps), Outcome::NotRun);
    let step = &ran.steps[0];
    assert_eq!(step.saw, "the second user: the sign-in was refused: invalid_credentials");
    assert!(step.fix.as_deref().unwrap().contains("set a new password"), "{step:?}");
    // Whether something is left nobody can see then, and how it goes is told.
    assert!(
        undone
            .iter()
            .any(|one| one.state == UndoState::Left && one.how.contains("delete from notes"))
    );
    assert_eq!(world.rows().await, "0");
    std::fs::remove_file(world.folder.path().join("b")).unwrap();
    let text = lacks(&world.config(ROW, "")).await;
    assert!(text.contains("the password of a test user"), "{text}");
    std::fs::write(world.folder.path().join("public"), "sb_secret_abc").unwrap();
    let text = lacks(&world.config(ROW, "")).await;
    assert!(text.contains("public_key is a secret key"), "{text}");
}
