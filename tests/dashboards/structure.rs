//! The dashboards import and provision without editing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{DASHBOARDS, dashboard, file};

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

#[test]
fn every_dashboard_is_listed_here() {
    let found: BTreeSet<String> = std::fs::read_dir(file("."))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(found, DASHBOARDS.map(str::to_owned).into_iter().collect());
}

#[test]
fn the_data_source_is_a_variable() {
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        // Only the import dialog of Grafana knows these; provisioning leaves them as they are.
        assert!(dashboard.get("__inputs").is_none() && dashboard.get("__requires").is_none());
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        assert_eq!(variables[0]["name"], "ds", "{name}: the data source comes first");
        assert_eq!(variables[0]["type"], "datasource");
        assert_eq!(variables[0]["query"], "prometheus");
        let source = serde_json::json!({ "type": "prometheus", "uid": "${ds}" });
        for variable in variables.iter().filter(|variable| variable["type"] == "query") {
            assert_eq!(variable["datasource"], source, "{name}");
        }
        for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
            assert_eq!(panel["datasource"], source, "{name}: {}", panel["title"]);
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{name}: {}", panel["title"]);
            let refs: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str()).collect();
            assert_eq!(refs.len(), targets.len());
            for target in targets {
                assert_eq!(target["datasource"], source, "{name}: {}", panel["title"]);
                assert!(!target["expr"].as_str().unwrap().is_empty());
            }
        }
    }
}

#[test]
fn identities_are_stable_and_unique() {
    let mut uids = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        assert_eq!(dashboard["id"], Value::Null, "{name}: Grafana gives the number");
        let uid = dashboard["uid"].as_str().unwrap().to_owned();
        assert_eq!(uid, format!("launchready-{}", name.trim_end_matches(".json")));
        assert!(uid.len() <= 40, "Grafana takes no longer ones");
        assert!(uids.insert(uid) && titles.insert(dashboard["title"].to_string()));
        assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
        let ids: BTreeSet<_> =
            panels(&dashboard).iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels(&dashboard).len(), "{name}: an id stands twice");
        assert!(!ids.contains(&None) && !ids.contains(&Some(0)));
    }
}

#[test]
fn panels_fit_the_grid_and_none_hides_another() {
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        let mut taken = BTreeSet::new();
        for panel in panels(&dashboard) {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
            assert!(w > 0 && h > 0 && x + w <= 24, "{name}: {}", panel["title"]);
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{name}: {} lies over another", panel["title"]);
            }
            let is_told = panel["type"] == "row" || panel["description"].as_str().is_some();
            assert!(is_told, "{name}: {} says nothing", panel["title"]);
        }
    }
}

#[test]
fn series_of_several_agents_are_counted_once() {
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                let shared = ["launchready_check_", "launchready_findings", "launchready_verdict"];
                if shared.iter().any(|start| query.contains(start)) {
                    assert!(query.contains("max by (project"), "{name}: {query}");
                }
            }
        }
    }
}
