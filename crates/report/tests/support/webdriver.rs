//! A small WebDriver client: Chromium without a window, driven over HTTP by chromedriver.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// Browsers are large: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An open browser.
pub(crate) struct Browser {
    server: Child,
    session: String,
    agent: ureq::Agent,
    _profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// Says that a test is skipped; fails if `LINCHPIN_REQUIRE_ALL` forbids that.
pub(crate) fn skip(why: &str) {
    let required = std::env::var("LINCHPIN_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!required, "cannot be skipped (LINCHPIN_REQUIRE_ALL=1): {why}");
    eprintln!("skipped: {why}");
}

impl Browser {
    /// Starts one; `None` (said aloud) if Chromium or chromedriver is missing.
    pub(crate) fn start() -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = spawned else {
            skip("chromedriver is not installed (scripts/install-tools.sh installs it)");
            return None;
        };
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver says its port").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(120)))
            .http_status_as_error(false)
            .build()
            .into();
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1500,1400",
        ]
        .map(String::from)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let address = format!("http://127.0.0.1:{port}/session");
        let answer = post(&agent, &address, &capabilities);
        let Some(id) = answer["value"]["sessionId"].as_str() else {
            let _ = server.kill();
            let _ = server.wait();
            skip(&format!("Chromium does not start: {}", answer["value"]["message"]));
            return None;
        };
        let session = format!("{address}/{id}");
        Some(Self { server, session, agent, _profile: profile, _turn: turn })
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        let answer = post(&self.agent, &format!("{}/{path}", self.session), body);
        assert!(answer["value"]["error"].is_null(), "{path} {body}: {answer}");
        answer["value"].clone()
    }

    /// Opens a file, with a fragment (`#...`) or an empty one.
    pub(crate) fn open(&self, path: &Path, fragment: &str) {
        self.command("url", &json!({ "url": "about:blank" }));
        self.command("url", &json!({ "url": format!("file://{}{fragment}", path.display()) }));
    }

    /// Runs a script; its last `return` is the answer.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&self, expression: &str) {
        for _ in 0..400 {
            if self.run(&format!("return Boolean({expression})")) == json!(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never true: {expression}");
    }

    /// How many elements a selector matches.
    pub(crate) fn count(&self, selector: &str) -> u64 {
        let script = format!("return document.querySelectorAll({}).length", json!(selector));
        self.run(&script).as_u64().unwrap()
    }

    /// The text of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({}).textContent", json!(selector));
        self.run(&script).as_str().unwrap().to_owned()
    }

    /// Clicks like a user: scrolls there and sends real mouse events.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.command("element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.command(&format!("element/{id}/click"), &json!({}));
    }

    /// Types keys into whatever has the focus.
    pub(crate) fn keys(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key }),
                    json!({ "type": "keyUp", "value": key }),
                ]
            })
            .collect();
        self.command(
            "actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }),
        );
    }

    /// Everything said on the console since the last call, at level warning and above.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Every address that a file asked for since the last call, but for itself. (The page that a
    /// new window shows asks for a lot.)
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "performance" }));
        log.as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| {
                let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
                let event = &event["message"];
                if event["method"] != "Network.requestWillBeSent" {
                    return None;
                }
                let asker = event["params"]["documentURL"].as_str()?;
                let address = event["params"]["request"]["url"].as_str()?;
                (asker.starts_with("file://") && address != asker).then(|| address.to_owned())
            })
            .collect()
    }

    /// Shows pages as printed on paper of this width (in CSS pixels).
    pub(crate) fn emulate_print(&self, width: u32) {
        self.tell("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
        self.emulate_width(width);
    }

    /// Shows pages in a window of this width (in CSS pixels).
    pub(crate) fn emulate_width(&self, width: u32) {
        let size =
            json!({ "width": width, "height": 1123, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", &size);
    }

    fn tell(&self, cmd: &str, params: &Value) {
        self.command("goog/cdp/execute", &json!({ "cmd": cmd, "params": params }));
    }

    /// The page as a PDF.
    pub(crate) fn printed(&self) -> Vec<u8> {
        let answer = self.command("print", &json!({}));
        decoded(answer.as_str().expect("a PDF in base64"))
    }

    /// Whether a dialogue of a script is open.
    pub(crate) fn is_alert_open(&self) -> bool {
        let answer = self
            .agent
            .get(format!("{}/alert/text", self.session))
            .call()
            .unwrap()
            .body_mut()
            .read_json::<Value>()
            .unwrap();
        answer["value"]["error"].is_null()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn post(agent: &ureq::Agent, address: &str, body: &Value) -> Value {
    agent.post(address).send_json(body).unwrap().body_mut().read_json().unwrap()
}

/// The first bytes of what base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks_exact(4).take(64) {
        let sextet = |c: &u8| ALPHABET.iter().position(|each| each == c).unwrap_or(0) as u32;
        let bits = group.iter().fold(0, |bits, c| (bits << 6) | sextet(c));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes
}
