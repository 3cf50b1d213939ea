//! One Chromium, driven over the `WebDriver` protocol of its chromedriver.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long anything may take to come, and how long a page and a script of a test may take: a machine that has too much
/// to do is no fault of the page.
const DEADLINE: Duration = Duration::from_mins(3);

/// A browser with one window.
pub(crate) struct Browser {
    client: reqwest::Client,
    session: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

/// Starts the driver, and gives back its port. It takes any free port for IPv4 and wants the same one for IPv6;
/// where another program has that, it ends, and is started again.
async fn chromedriver() -> (Child, String) {
    for _ in 0..5 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return (driver, port.trim_end_matches('.').to_owned());
            }
        }
    }
    panic!("chromedriver does not start");
}

/// How the page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) name: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scheme: &'static str,
}

impl Browser {
    /// Starts it with arguments of its own.
    pub(crate) async fn start(more: &[String]) -> Self {
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = chromedriver().await;
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-proxy-server".to_owned(),
            "--force-prefers-reduced-motion".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        arguments.extend_from_slice(more);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            // The authority of a test is none that a browser knows.
            "acceptInsecureCerts": true,
            "timeouts": {"pageLoad": DEADLINE.as_millis(), "script": DEADLINE.as_millis()},
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}");
        let made = client.post(format!("{base}/session")).body(wanted.to_string()).send().await;
        let made: Value = serde_json::from_str(&made.unwrap().text().await.unwrap()).unwrap();
        let id = made["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{made}"));
        let session = format!("{base}/session/{id}");
        Self { client, session, driver, _profile: profile }
    }

    async fn call(&self, command: &str, body: &Value) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer = self.client.post(url).body(body.to_string()).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }

    async fn devtools(&self, command: &str, params: Value) -> Value {
        self.call("goog/cdp/execute", &json!({"cmd": command, "params": params})).await
    }

    pub(crate) async fn view(&self, view: View) {
        let size = json!({
            "width": view.width, "height": view.height,
            "deviceScaleFactor": 1, "mobile": view.width < 500,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!([{"name": "prefers-color-scheme", "value": view.scheme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": scheme})).await;
    }

    /// Opens an address and waits until it is drawn.
    pub(crate) async fn open(&self, url: &str) {
        self.call("url", &json!({"url": url})).await;
    }

    /// What a script of the test gives back.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.call("execute/sync", &json!({"script": script, "args": []})).await
    }

    async fn element(&self, selector: &str) -> String {
        let found =
            self.call("element", &json!({"using": "css selector", "value": selector})).await;
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.call(&format!("element/{element}/click"), &json!({})).await;
    }

    pub(crate) async fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.call(&format!("element/{element}/value"), &json!({"text": text})).await;
    }

    /// Presses a key wherever the focus is.
    pub(crate) async fn press(&self, key: char) {
        let key = key.to_string();
        let actions = json!([{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]}]);
        self.call("actions", &json!({"actions": actions})).await;
    }

    /// Waits until a script gives back true.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        let wait = async {
            // While a page is loading there may be nothing to run a script in.
            while self.run(script).await != json!(true) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, wait).await.is_ok() {
            return;
        }
        panic!("{what} did not come: {}", self.run("return document.body.innerText").await);
    }

    /// The whole page as a picture.
    pub(crate) async fn picture(&self, path: &Path) {
        let shot = json!({"format": "png", "captureBeyondViewport": true});
        let shot = self.devtools("Page.captureScreenshot", shot).await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Draws the page as a printer would, in a window of this width.
    pub(crate) async fn as_printed(&self, width: u32) {
        let size = json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        self.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    }

    /// Prints the page on A4, without colours behind the text, to a PDF file.
    pub(crate) async fn print(&self, path: &Path) {
        let paper = json!({
            "paperWidth": 8.27, "paperHeight": 11.69,
            "preferCSSPageSize": false, "printBackground": false,
            "marginTop": 0.55, "marginBottom": 0.6, "marginLeft": 0.55, "marginRight": 0.55,
        });
        let printed = self.devtools("Page.printToPDF", paper).await;
        let bytes = STANDARD.decode(printed["data"].as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// What the console of the browser holds since the last question: refused styles and scripts too.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.call("se/log", &json!({"type": "browser"})).await;
        let entries = log.as_array().unwrap();
        let serious = entries.iter().filter(|entry| entry["level"] != "INFO");
        serious.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn stop(mut self) {
        _ = self.client.delete(&self.session).send().await;
        self.driver.kill().await.unwrap();
    }
}
