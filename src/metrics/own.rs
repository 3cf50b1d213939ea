//! What the agent counts of itself.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::catalogue::{
    AGENTS, AHEAD, COMMIT, IN_FLIGHT, LAG, LATENCY, NOTIFICATIONS, OUTBOX, help,
};
use super::text::{bound, label, number};
use crate::store::{DeliveryState, OutboxCount};

/// What can come of a try to deliver a message.
pub(super) const OUTCOMES: [&str; 3] = ["sent", "retry", "failed"];

/// Up to ten minutes; a message has to be there within 300 s.
const LATENCY_S: &[f64] =
    &[1.0, 5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0];
/// The load test wants 99 of 100 runs to begin within one second.
const LAG_S: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0];
/// Runs are committed in groups at least every 50 ms.
const COMMIT_S: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// The agent's own registry.
#[derive(Debug)]
pub(super) struct Own {
    registry: Registry,
    pub(super) notifications: IntCounterVec,
    outbox: IntGaugeVec,
    latency: Histogram,
    lag: Histogram,
    pub(super) in_flight: IntGauge,
    pub(super) agents: IntGauge,
    commit: Histogram,
    pub(super) ahead: Gauge,
}

impl Own {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let opts = |name| Opts::new(name, help(name));
        let histogram = |name, bounds: &[f64]| {
            Histogram::with_opts(HistogramOpts::new(name, help(name)).buckets(bounds.to_vec()))
        };
        let own = Self {
            registry: Registry::new(),
            notifications: IntCounterVec::new(opts(NOTIFICATIONS), &["channel", "outcome"])?,
            outbox: IntGaugeVec::new(opts(OUTBOX), &["channel"])?,
            latency: histogram(LATENCY, LATENCY_S)?,
            lag: histogram(LAG, LAG_S)?,
            in_flight: IntGauge::with_opts(opts(IN_FLIGHT))?,
            agents: IntGauge::with_opts(opts(AGENTS))?,
            commit: histogram(COMMIT, COMMIT_S)?,
            ahead: Gauge::with_opts(opts(AHEAD))?,
        };
        let all: [Box<dyn Collector>; 8] = [
            Box::new(own.notifications.clone()),
            Box::new(own.outbox.clone()),
            Box::new(own.latency.clone()),
            Box::new(own.lag.clone()),
            Box::new(own.in_flight.clone()),
            Box::new(own.agents.clone()),
            Box::new(own.commit.clone()),
            Box::new(own.ahead.clone()),
        ];
        for collector in all {
            own.registry.register(collector)?;
        }
        Ok(own)
    }

    /// Makes the series of these channels, so that a rate is there from the first message on, and
    /// takes those of others away.
    pub(super) fn channels(&self, names: &[String]) {
        let mut gone = Vec::new();
        for family in self.outbox.collect() {
            for metric in family.get_metric() {
                let known = metric.get_label().iter().map(|pair| pair.value().to_owned());
                gone.extend(known.filter(|name| !names.contains(name)));
            }
        }
        for name in gone {
            // There is nothing to take away where another call was first.
            _ = self.outbox.remove_label_values(&[&name]);
            for outcome in OUTCOMES {
                _ = self.notifications.remove_label_values(&[&name, outcome]);
            }
        }
        for name in names {
            self.outbox.with_label_values(&[name]);
            for outcome in OUTCOMES {
                self.notifications.with_label_values(&[name.as_str(), outcome]);
            }
        }
    }

    pub(super) fn pending(&self, counts: &[OutboxCount]) {
        let waiting = |channel: &str| {
            let of = counts.iter().filter(|count| count.channel == channel);
            of.filter(|count| count.state == DeliveryState::Pending).map(|count| count.count).sum()
        };
        for family in self.outbox.collect() {
            for metric in family.get_metric() {
                for pair in metric.get_label() {
                    self.set_pending(pair.value(), waiting(pair.value()));
                }
            }
        }
        // A channel that left the config may still have deliveries.
        for count in counts.iter().filter(|count| count.state == DeliveryState::Pending) {
            self.set_pending(&count.channel, waiting(&count.channel));
        }
    }

    fn set_pending(&self, channel: &str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.outbox.with_label_values(&[channel]).set(count);
    }

    pub(super) fn latency(&self, took: Duration) {
        self.latency.observe(took.as_secs_f64());
    }

    pub(super) fn lag(&self, took: Duration) {
        self.lag.observe(took.as_secs_f64());
    }

    pub(super) fn commit(&self, took: Duration) {
        self.commit.observe(took.as_secs_f64());
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// Writes the samples of one family.
pub(super) fn samples(out: &mut String, family: &MetricFamily) {
    let name = family.name();
    for metric in family.get_metric() {
        let mut labels = String::new();
        for pair in metric.get_label() {
            if !labels.is_empty() {
                labels.push(',');
            }
            label(&mut labels, pair.name(), pair.value());
        }
        let value = match family.get_field_type() {
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                let comma = if labels.is_empty() { "" } else { "," };
                let mut bucket = |at: f64, count: u64| {
                    _ = write!(out, "{name}_bucket{{{labels}{comma}le=\"");
                    bound(out, at);
                    _ = writeln!(out, "\"}} {count}");
                };
                for each in histogram.get_bucket() {
                    bucket(each.upper_bound(), each.cumulative_count());
                }
                bucket(f64::INFINITY, histogram.get_sample_count());
                for (suffix, value) in [
                    ("sum", histogram.get_sample_sum()),
                    ("count", histogram.get_sample_count() as f64),
                ] {
                    _ = write!(out, "{name}_{suffix}");
                    braces(out, &labels);
                    number(out, value);
                    out.push('\n');
                }
                continue;
            }
            MetricType::COUNTER => metric.get_counter().get_value(),
            _ => metric.get_gauge().get_value(),
        };
        out.push_str(name);
        braces(out, &labels);
        number(out, value);
        out.push('\n');
    }
}

fn braces(out: &mut String, labels: &str) {
    if labels.is_empty() {
        out.push(' ');
    } else {
        _ = write!(out, "{{{labels}}} ");
    }
}
