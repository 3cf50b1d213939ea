//! Bounds that a loaded machine keeps: how fast it answers itself is no defect of the lab. Timings are measured in
//! `benches/` and never asserted in a test.

use std::sync::Arc;

use launchready::config::Project;

/// Has no answer count as slow.
pub(crate) fn be_patient(project: &mut Project) {
    let patient = serde_json::json!({
        "api_p95_warning": "60s", "p95_critical": "60s", "first_byte_warning": "60s",
    });
    let options = Arc::make_mut(&mut project.options)
        .entry("web-uptime".to_owned())
        .or_insert_with(|| patient.clone());
    if let (Some(options), Some(patient)) = (options.as_object_mut(), patient.as_object()) {
        options.extend(patient.clone());
    }
}
