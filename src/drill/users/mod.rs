//! `drill two-users`: one user neither reads nor writes what another one owns.
//!
//! A policy for UPDATE or DELETE alone that is open for everybody does not show here as long as the policy
//! for SELECT hides the row: the check `supabase-rls` reads it from the catalogue.

mod owned;
mod project;
mod trial;
mod undo;

use launchready_checks::probe::ProbeError;

use self::owned::Owned;
use self::project::{NoSession, Project, User};
use self::trial::Trial;
use super::{Drill, Plan, Ran, Scene, Step};
use crate::config::UserTable;

pub(super) use undo::undo;

const SIGN_IN: &str = "both users sign in";
/// How the two are called, for people.
const NAMES: [&str; 2] = ["the first user", "the second user"];

/// What would be done.
pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    let mut plan = Plan::new(Drill::TwoUsers);
    let table = scene.table;
    match &scene.accounts.tables.supabase {
        None => plan.lacks.push(
            "[project.supabase] is missing: add it with ref and public_key, from Settings → API Keys".to_owned(),
        ),
        Some(_) => {
            if let Err(no) = scene.ports.supabase_public.get() {
                plan.lacks.push(format!("{no}: {}", no.unlock));
            }
        }
    }
    match table.user.as_slice() {
        [a, b] if a.email.eq_ignore_ascii_case(&b.email) => plan.lacks.push(
            "both users are the same: give the second [[project.drill.user]] an address of its own".to_owned(),
        ),
        [_, _] => {}
        _ => plan.lacks.push(
            "two test users are missing: make them under Authentication → Users and write [[project.drill.user]] \
             twice, each with email and password = { env = \"NAME\" }"
                .to_owned(),
        ),
    }
    for user in &table.user {
        if let Err(no) = scene.accounts.read(&user.password) {
            plan.lacks.push(format!("the password of a test user: {}: {}", no.reason, no.unlock));
        }
    }
    if table.owned.is_empty() {
        plan.lacks.push(
            "no table is named whose rows belong to a user: write [[project.drill.owned]] with table, owner and row"
                .to_owned(),
        );
    }
    plan.does.push("sign both test users in".to_owned());
    for owned in &table.owned {
        let name = &owned.table;
        let one = Owned::new(owned, scene);
        match (owned.row.is_empty(), one.marked()) {
            (true, _) => {
                plan.does.push(format!("look for a row of {name} that each of them has; it is only read"));
            }
            (false, None) => plan.lacks.push(format!(
                "row of {name} has no text by which the drill finds it again: give a text column of row the value \
                 \"{{mark}}\""
            )),
            (false, Some(column)) => plan.does.push(format!(
                "make a row of {name} as each of them, with the mark in {column}; try to read, change, delete and \
                 forge it as the other one, and to read it as a visitor"
            )),
        }
        plan.proves.push(format!("what the owner of the row of {name} still reads afterwards"));
        if one.marked().is_some() {
            plan.undoes
                .push(format!("delete the rows of {name} that carry the mark, as their owners"));
        }
    }
    plan.undoes.push("end all sessions of both test users".to_owned());
    plan
}

/// Tries every table, both ways round.
pub(super) async fn run(scene: &Scene<'_>) -> Ran {
    let mut steps = Vec::new();
    match enter(scene).await {
        Err(step) => steps.push(step),
        Ok((project, users)) => {
            steps.push(Step::held(SIGN_IN, "two users with ids of their own"));
            for owned in &scene.table.owned {
                let owned = Owned::new(owned, scene);
                Trial { project: &project, users: &users, owned: &owned, steps: &mut steps }
                    .both_ways()
                    .await;
            }
        }
    }
    Ran { steps, ..Ran::default() }
}

/// The project, asked with its public key.
fn open(scene: &Scene<'_>) -> Result<Project, String> {
    let table = scene.accounts.tables.supabase.as_ref().ok_or("[project.supabase] is missing")?;
    let key = table.public_key.as_ref().ok_or("public_key is missing under [project.supabase]")?;
    let key = scene.accounts.read(key).map_err(|no| format!("{}: {}", no.reason, no.unlock))?;
    Project::new(table, key, scene.reach).map_err(|error| error.to_string())
}

/// Signs one of the users in.
///
/// # Errors
/// What was seen, and the remedy.
async fn sign_in(
    scene: &Scene<'_>,
    project: &Project,
    user: &UserTable,
) -> Result<User, (String, String)> {
    let password =
        scene.accounts.read(&user.password).map_err(|no| (no.reason.clone(), no.unlock))?;
    project.sign_in(&user.email, &password).await.map_err(|no| match no {
        NoSession::Error(error) => unanswered(&error),
        NoSession::Refused(code) => {
            let remedy = match code.as_str() {
                "email_not_confirmed" => "confirm the address of the test user under Authentication → Users",
                "email_provider_disabled" => {
                    "signing in with a password is off: turn it on under Authentication → Sign In / Providers → Email"
                }
                "captcha_failed" => {
                    "CAPTCHA protection keeps the drill out: run it against a staging project without it"
                }
                "user_banned" => "the test user is banned: lift that under Authentication → Users",
                _ => {
                    "address or password is wrong: set a new password for the test user under Authentication → Users, and \
                     put it where [[project.drill.user]] says"
                }
            };
            let code = if code.is_empty() { "no reason" } else { &code };
            (format!("the sign-in was refused: {code}"), remedy.to_owned())
        }
    })
}

async fn enter(scene: &Scene<'_>) -> Result<(Project, [User; 2]), Step> {
    let lacking = |lack: String| Step::unseen(SIGN_IN, "something is lacking", lack);
    let project = open(scene).map_err(lacking)?;
    let [first, second] = scene.table.user.as_slice() else {
        return Err(lacking("write [[project.drill.user]] twice".to_owned()));
    };
    let mut users = Vec::new();
    for (name, user) in NAMES.into_iter().zip([first, second]) {
        let signed = sign_in(scene, &project, user).await;
        users.push(
            signed.map_err(|(saw, fix)| Step::unseen(SIGN_IN, format!("{name}: {saw}"), fix))?,
        );
    }
    let users: [User; 2] = users
        .try_into()
        .map_err(|_users| lacking("write [[project.drill.user]] twice".to_owned()))?;
    let [a, b] = &users;
    if a.id == b.id {
        return Err(Step::unseen(
            SIGN_IN,
            "both are the same user",
            "give the second [[project.drill.user]] a user of its own",
        ));
    }
    Ok((project, users))
}

/// What is said where no answer came that tells anything.
fn unanswered(error: &ProbeError) -> (String, String) {
    (error.to_string(), "run the drill again when the project answers; see `launchready check supabase-anon-access`".to_owned())
}
