//! Chromium walks the page of the real agent behind nginx, as a person does who was woken by a message.

use launchready::store::IncidentFilter;
use launchready_lab::World;
use serde_json::{Value, json};

use crate::driver::Browser;
use crate::front::{Front, HOST, URL, behind};
use crate::look::{VIEWS, axe, can_walk, faults, pictures};
use crate::rig::{PAGE_PASSWORD, Rig, Setup, project, table};
use crate::support::has;

const ENTER: char = '\u{e007}';

/// The agent with the broken world, nginx before it, and a browser that finds it by its name.
struct Scene {
    rig: Rig,
    browser: Browser,
    _front: Front,
}

impl Scene {
    async fn set(test: &str) -> Option<Self> {
        if !can_walk(test) || !has(test, &["nginx", "setpriv"]) {
            return None;
        }
        let edit = |config: &mut toml::Table| {
            behind(config);
            project(config).insert("public".to_owned(), true.into());
            let defaults = table(config, &["defaults"]);
            defaults.insert("group_wait".to_owned(), "5s".into());
            defaults.insert("timezone".to_owned(), "Europe/Berlin".into());
            let checks = table(project(config), &["checks", "web-uptime"]);
            let mut page = toml::Table::new();
            page.insert("url".to_owned(), "https://harbor.example/".into());
            checks["endpoints"].as_array_mut().unwrap().push(page.into());
        };
        let world = World::load("broken").unwrap();
        let mut rig = Rig::new(Setup { world, speed: 20.0, edit: &edit }).await;
        rig.start_ready().await;
        let front = Front::start(rig.path(), rig.lab.authority(), rig.page);
        let map = format!("--host-resolver-rules=MAP {HOST} {}", front.https);
        let browser = Browser::start(&[map]).await;
        // The first message is out, so the incidents have something to tell.
        rig.wait_for("a message", async |rig: &Rig| !rig.mailbox.mails().is_empty()).await;
        Some(Self { rig, browser, _front: front })
    }

    async fn open(&self, path: &str) {
        self.browser.open(&format!("{URL}{path}")).await;
    }

    async fn sign_in(&self, to: &str) {
        self.open(to).await;
        self.browser.until("the form", "return location.pathname === '/login'").await;
        self.browser.write("#password", PAGE_PASSWORD).await;
        self.browser.press(ENTER).await;
        self.at(to).await;
    }

    async fn at(&self, path: &str) {
        self.browser.until(path, &format!("return location.pathname === '{path}'")).await;
    }

    /// The open incident of a code.
    async fn incident(&self, code: &str) -> String {
        let store = self.rig.store().await;
        let (plugin, _) = launchready_checks::registry::find_code(code).unwrap();
        let check = Some(plugin.meta.id.to_owned());
        let filter = IncidentFilter { check, ..IncidentFilter::default() };
        let mut found = None;
        self.rig
            .wait_for(code, async |_: &Rig| {
                let all = store.incidents(&filter).await.unwrap();
                found = all.into_iter().find(|incident| incident.key.code == code);
                found.is_some()
            })
            .await;
        found.unwrap().id
    }

    async fn end(mut self) {
        self.browser.stop().await;
        self.rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_agent_is_fit_to_be_seen() {
    let Some(scene) = Scene::set("every_page_of_the_agent_is_fit_to_be_seen").await else { return };
    let down = scene.incident("endpoint-down").await;
    let axe = axe();
    let pages = [
        ("login", "/login".to_owned()),
        ("status", "/status".to_owned()),
        ("overview", "/".to_owned()),
        ("project", "/projects/harbor".to_owned()),
        ("check", "/projects/harbor/checks/web-uptime".to_owned()),
        ("certificates", "/projects/harbor/checks/tls-certificate?range=7d".to_owned()),
        ("incidents", "/incidents".to_owned()),
        ("incident", format!("/incidents/{down}")),
    ];
    scene.sign_in("/projects/harbor").await;
    let mut wrong = scene.browser.complaints().await;
    for view in VIEWS {
        scene.browser.view(view).await;
        for (name, path) in &pages {
            scene.open(path).await;
            let name = format!("{name}-{}", view.name);
            scene.browser.picture(&pictures("agent").join(format!("{name}.png"))).await;
            wrong.extend(faults(&scene.browser, &name, &axe).await);
        }
    }
    scene.end().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_of_the_agent_is_dealt_with_from_the_page() {
    let Some(scene) = Scene::set("an_incident_of_the_agent_is_dealt_with_from_the_page").await
    else {
        return;
    };
    let browser = &scene.browser;
    // A page that was drawn before an incident opens does not show it.
    let down = scene.incident("endpoint-down").await;
    browser.view(VIEWS[0]).await;
    scene.sign_in("/").await;
    let cookies: Value = browser.run("return document.cookie").await;
    assert_eq!(cookies, json!(""), "no script sees the session");
    browser.click(".projects a[href='/projects/harbor']").await;
    scene.at("/projects/harbor").await;
    browser.click("a[href='/projects/harbor/checks/web-uptime']").await;
    browser.until("a chart", "return document.querySelectorAll('.chart svg').length > 0").await;
    browser.click(&format!("main table a[href='/incidents/{down}']")).await;
    scene.at(&format!("/incidents/{down}")).await;

    browser.write("#ack-by", "Ada").await;
    browser.write("#ack-note", "rolling back").await;
    browser.click("form[action$='/ack'] button").await;
    let said = |word: &str| {
        format!(
            "const said = document.querySelector('.done'); return said?.textContent.includes('{word}')"
        )
    };
    browser.until("the acknowledgement", &said("Acknowledged")).await;
    browser.picture(&pictures("agent").join("acknowledged-phone-light.png")).await;
    let store = scene.rig.store().await;
    let taken = store.incident(&down).await.unwrap().unwrap().incident.acknowledged.unwrap();
    assert_eq!((taken.by.as_str(), taken.note.as_str()), ("Ada", "rolling back"));

    browser.click("input[name=length][value='4h']").await;
    browser.click("form[action$='/silence'] button").await;
    browser.until("the silence", &said("Silenced")).await;
    assert_eq!(store.silences(scene.rig.now()).await.unwrap().len(), 1);
    scene.open("/silences").await;
    browser.picture(&pictures("agent").join("silences-phone-light.png")).await;
    browser.click("form[action$='/end'] button").await;
    browser.until("the end of the silence", &said("has ended")).await;
    assert_eq!(store.silences(scene.rig.now()).await.unwrap().len(), 0);

    // An open page follows what the agent sees, through nginx and without being loaded again.
    let expired = scene.incident("certificate-expired").await;
    scene.open("/incidents").await;
    let link = format!("document.querySelector('a[href=\"/incidents/{expired}\"]')");
    browser.until("the incident in the list", &format!("return {link} !== null")).await;
    browser.run("window.kept = true").await;
    scene.rig.lab.heal("certificate-expired").await.unwrap();
    browser.until("its end", &format!("return window.kept === true && {link} === null")).await;

    browser.click(".out button").await;
    scene.at("/login").await;
    scene.open("/").await;
    scene.at("/login").await;
    // What customers see needs no password and says no more than up or down.
    scene.open("/status").await;
    let text = browser.run("return document.querySelector('main').innerText").await;
    let text = text.as_str().unwrap();
    assert!(text.contains("harbor") && !text.contains("503"), "{text}");
    scene.end().await;
}
