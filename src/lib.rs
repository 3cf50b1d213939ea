#![doc = include_str!("../ARCHITECTURE.md")]

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connect;
pub mod discover;
pub mod engine;
pub mod incident;
pub mod metrics;
pub mod notify;
pub mod probe;
pub mod report;
pub mod schedule;
pub mod store;
pub mod telemetry;
pub mod web;
