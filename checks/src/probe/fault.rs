//! Whose fault it is that a look gave no answer.

use serde::{Deserialize, Serialize};

/// The target's fault: evidence for a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum TargetFault {
    /// The name does not resolve; the detail is the name and the answer code.
    #[error("name does not resolve: {0}")]
    Unresolvable(String),
    /// The connection was refused or reset before a byte came.
    #[error("connection refused: {0}")]
    Refused(String),
    /// Nothing came within the time-out.
    #[error("no answer in time: {0}")]
    TimedOut(String),
    /// The TLS handshake failed.
    #[error("TLS handshake failed: {0}")]
    Tls(String),
    /// What came breaks the protocol.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// What came is larger than the limit.
    #[error("answer over the limit: {0}")]
    TooLarge(String),
    /// A name or redirect learned from the product leads to a private address.
    #[error("leads to a private address: {0}")]
    PrivateAddress(String),
}

/// Not the target's fault: the run, or the part, is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum AgentFault {
    /// This machine has no network, or no route to the address.
    #[error("this machine has no network route: {0}")]
    NoNetwork(String),
    /// This machine has no IPv6 route.
    #[error("this machine has no IPv6 route")]
    NoIpv6,
    /// Outbound connections to this port are blocked here.
    #[error("outbound port {0} is blocked from this machine")]
    PortBlocked(u16),
    /// No resolver answered.
    #[error("no resolver answered: {0}")]
    NoResolver(String),
    /// A credential was refused.
    #[error("the credential was refused: {0}")]
    BadCredential(String),
    /// A credential lacks a permission; the detail names it.
    #[error("a permission is missing: {0}")]
    Forbidden(String),
    /// The other side asked to slow down.
    #[error("rate-limited: {0}")]
    RateLimited(String),
    /// A mail server turns away this machine's address, as many do with homes and clouds.
    #[error("this machine was turned away: {0}")]
    TurnedAway(String),
    /// The clock of this machine is off; the detail says by how much.
    #[error("the clock of this machine is {0}")]
    ClockOff(String),
    /// The audit's time limit came first.
    #[error("the time limit came first: {0}")]
    TimeLimit(String),
    /// What the config says does not fit; the detail names the key and what fits.
    #[error("the config does not fit: {0}")]
    Misconfigured(String),
    /// The port was asked something that it refuses to do.
    #[error("refused by launchready: {0}")]
    Refused(String),
    /// Something that should not happen.
    #[error("internal error: {0}")]
    Bug(String),
}

impl AgentFault {
    /// The one step that unlocks the look.
    pub const fn unlock(&self) -> &'static str {
        match self {
            Self::NoNetwork(_) => "run it from a machine with a connection to the internet",
            Self::NoIpv6 => "run it from a machine that has IPv6",
            Self::PortBlocked(_) => "run it from a network that allows this outbound port",
            Self::NoResolver(_) => {
                "name a resolver that answers, such as network.resolvers = [\"1.1.1.1\"]"
            }
            Self::BadCredential(_) => "set a credential that is valid",
            Self::Forbidden(_) => "grant the permission that is named",
            Self::RateLimited(_) => "wait, then run it again",
            Self::TurnedAway(_) => "run it from another network",
            Self::ClockOff(_) => "set the clock of this machine, then run it again",
            Self::TimeLimit(_) => "raise --time-limit, or run this check alone",
            Self::Misconfigured(_) => "correct the setting that is named",
            Self::Refused(_) => "see the limits in the handbook page of the check",
            Self::Bug(_) => "report this as a bug of launchready, with the text above",
        }
    }
}

/// Why a look gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The target's fault.
    #[error(transparent)]
    Target(#[from] TargetFault),
    /// Not the target's fault.
    #[error(transparent)]
    Agent(#[from] AgentFault),
}

/// An answer or its absence, as it stands in evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    /// It answered.
    Ok(T),
    /// It did not, and that is its own fault.
    Target(TargetFault),
    /// We could not look.
    Agent(AgentFault),
}

impl<T> Seen<T> {
    /// The answer, if there was one.
    pub const fn ok(&self) -> Option<&T> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Target(_) | Self::Agent(_) => None,
        }
    }

    /// Our own fault, if that is why there is no answer.
    pub const fn agent_fault(&self) -> Option<&AgentFault> {
        match self {
            Self::Agent(fault) => Some(fault),
            Self::Ok(_) | Self::Target(_) => None,
        }
    }

    /// The target's fault, if that is why there is no answer.
    pub const fn target_fault(&self) -> Option<&TargetFault> {
        match self {
            Self::Target(fault) => Some(fault),
            Self::Ok(_) | Self::Agent(_) => None,
        }
    }

    /// Changes the answer, if there was one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Ok(value) => Seen::Ok(f(value)),
            Self::Target(fault) => Seen::Target(fault),
            Self::Agent(fault) => Seen::Agent(fault),
        }
    }
}

impl<T> From<Result<T, ProbeError>> for Seen<T> {
    fn from(result: Result<T, ProbeError>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(ProbeError::Target(fault)) => Self::Target(fault),
            Err(ProbeError::Agent(fault)) => Self::Agent(fault),
        }
    }
}
