//! The evaluation of a record as far as it does not depend on who sends (RFC 7208 §4.6, §5, §6).
//!
//! It assumes that no mechanism matches before the last one, because that is what a receiver has to
//! do for mail that the record does not allow, and counts go on past the limits, so that every
//! look-up can be named.

use std::collections::BTreeSet;

use super::answers::{Answers, Question};
use super::domain_spec::Expanded;
use super::record::{Kind, Qualifier, Record, SyntaxError, Term};
use crate::probe::Seen;

/// MX hosts that one `mx` may have (RFC 7208 §4.6.4).
pub(super) const MX_HOSTS: usize = 10;
/// Counting stops here: a record that includes itself many times over could count for ever.
const COUNTED: usize = 100;

/// One look-up that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    /// The term as it is written.
    pub(super) term: String,
    /// The name whose record holds it.
    pub(super) holder: String,
    /// The term of the first record that led here.
    pub(super) top: String,
    /// What was asked for, where the answer was empty.
    pub(super) void: Option<String>,
    /// It depends on the sender and was only counted.
    pub(super) by_sender: bool,
}

/// Why a receiver cannot finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// A record breaks the grammar.
    Syntax { name: String, errors: Vec<SyntaxError> },
    /// A name has several records.
    Multiple { name: String, count: usize },
    /// `include` or `redirect` leads to a name without a record.
    NoRecord { term: String, holder: String, name: String, why: &'static str },
    /// `include` or `redirect` leads back.
    Loop { path: Vec<String> },
    /// A name has too many mail servers for `mx`.
    MxHosts { term: String, holder: String, name: String, count: usize },
    /// A name server did not answer.
    Unanswered { question: String, fault: String },
}

/// What is known of a record after its evaluation.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Every look-up that counts, in the order of evaluation.
    pub(super) lookups: Vec<Lookup>,
    /// What breaks the evaluation, each once.
    pub(super) problems: Vec<Problem>,
    /// What is not known yet.
    pub(super) wanted: BTreeSet<Question>,
    /// What we could not ask for, and why.
    pub(super) unseen: Vec<String>,
    /// Records that are too long to be kept whole, with their length.
    pub(super) cut: Vec<String>,
    /// The terms through which everybody passes, if there is such a way.
    pub(super) open: Option<String>,
    /// The `all` at the end of the way, redirects followed.
    pub(super) last: Last,
    /// Every name whose record was read, in order.
    pub(super) names: Vec<String>,
    /// Counting was given up.
    pub(super) endless: bool,
}

/// How a record ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Last {
    /// With this `all`.
    All(Qualifier),
    /// With no `all` at all.
    Nothing,
    /// It could not be seen.
    #[default]
    Unknown,
}

/// Evaluates the record of `sender`.
pub(super) fn walk(sender: &str, answers: &Answers) -> Walk {
    let mut walk = Walk::default();
    let mut step = Step { answers, sender, path: Vec::new(), top: None, walk: &mut walk };
    let end = step.visit(sender, None);
    walk.open = end.open;
    walk.last = end.last;
    walk
}

struct End {
    open: Option<String>,
    last: Last,
}

impl End {
    const UNKNOWN: Self = Self { open: None, last: Last::Unknown };
}

struct Step<'a> {
    answers: &'a Answers,
    sender: &'a str,
    path: Vec<String>,
    top: Option<String>,
    walk: &'a mut Walk,
}

impl Step<'_> {
    fn problem(&mut self, problem: Problem) {
        if !self.walk.problems.contains(&problem) {
            self.walk.problems.push(problem);
        }
    }

    /// Evaluates the record of a name; `from` is the term that led here and its holder.
    fn visit(&mut self, name: &str, from: Option<(&Term, &str)>) -> End {
        if self.path.iter().any(|earlier| earlier == name) {
            let mut path = self.path.clone();
            path.push(name.to_owned());
            self.problem(Problem::Loop { path });
            return End::UNKNOWN;
        }
        let answers = self.answers;
        let texts = match answers.texts(name) {
            None => {
                self.walk.wanted.insert(Question::Record(name.to_owned()));
                return End::UNKNOWN;
            }
            Some(Seen::Ok(texts)) => texts,
            Some(Seen::Target(fault)) => {
                let question = format!("TXT {name}");
                self.problem(Problem::Unanswered { question, fault: fault.to_string() });
                return End::UNKNOWN;
            }
            Some(Seen::Agent(fault)) => {
                self.walk.unseen.push(format!("TXT {name}: {fault}"));
                return End::UNKNOWN;
            }
        };
        let Some(text) = texts.only() else {
            if let (0, Some((term, holder))) = (texts.count(), from) {
                let why = if texts.missing { "does not exist" } else { "has no SPF record" };
                self.no_record(term, holder, name, why);
            } else if texts.count() > 1 {
                self.problem(Problem::Multiple { name: name.to_owned(), count: texts.count() });
            }
            return End::UNKNOWN;
        };
        if !self.walk.names.iter().any(|known| known == name) {
            self.walk.names.push(name.to_owned());
            if texts.cut {
                self.walk.cut.push(format!("{name} has {} bytes", texts.bytes));
            }
        }
        let record = Record::parse(&text);
        if !record.errors.is_empty() {
            let errors = record.errors.clone();
            self.problem(Problem::Syntax { name: name.to_owned(), errors });
        }
        self.path.push(name.to_owned());
        let end = self.record(name, &record);
        self.path.pop();
        end
    }

    fn no_record(&mut self, term: &Term, holder: &str, name: &str, why: &'static str) {
        self.problem(Problem::NoRecord {
            term: term.text.clone(),
            holder: holder.to_owned(),
            name: name.to_owned(),
            why,
        });
    }

    fn record(&mut self, name: &str, record: &Record) -> End {
        let mut open: Option<String> = None;
        let mut last = Last::Nothing;
        for term in record.mechanisms() {
            if self.path.len() == 1 {
                self.top = Some(term.text.clone());
            }
            if term.kind == Kind::All {
                last = Last::All(term.qualifier);
                if term.qualifier == Qualifier::Pass {
                    open.get_or_insert_with(|| term.text.clone());
                }
                continue;
            }
            let passes = term.qualifier == Qualifier::Pass;
            if passes && term.matches_everybody {
                open.get_or_insert_with(|| term.text.clone());
            }
            if term.kind.counts() {
                let end = self.look_up(term, name);
                if let (true, Some(way)) = (passes, end.open) {
                    open.get_or_insert_with(|| format!("{} → {way}", term.text));
                }
            }
        }
        if let Some(term) = record.redirect() {
            if self.path.len() == 1 {
                self.top = Some(term.text.clone());
            }
            let end = self.look_up(term, name);
            last = end.last;
            if let Some(way) = end.open {
                open.get_or_insert_with(|| format!("{} → {way}", term.text));
            }
        }
        End { open, last }
    }

    /// Counts a term and, where it does not depend on the sender, evaluates it.
    fn look_up(&mut self, term: &Term, holder: &str) -> End {
        if self.walk.lookups.len() >= COUNTED {
            self.walk.endless = true;
            return End::UNKNOWN;
        }
        let at = self.walk.lookups.len();
        let expanded = match &term.domain {
            Some(domain) => domain.expand(holder, self.sender),
            None => Expanded::Name(holder.to_owned()),
        };
        let by_sender = term.kind == Kind::Ptr || expanded == Expanded::BySender;
        self.walk.lookups.push(Lookup {
            term: term.text.clone(),
            holder: holder.to_owned(),
            top: self.top.clone().unwrap_or_else(|| term.text.clone()),
            void: None,
            by_sender,
        });
        if by_sender {
            return End::UNKNOWN;
        }
        let leads_to_record = matches!(term.kind, Kind::Include | Kind::Redirect);
        let name = match expanded {
            Expanded::Name(name) => name,
            Expanded::Impossible(name) if leads_to_record => {
                self.no_record(term, holder, &name, "cannot be the name of a domain");
                return End::UNKNOWN;
            }
            Expanded::Impossible(name) => {
                self.void(at, format!("{name} cannot be the name of a host"));
                return End::UNKNOWN;
            }
            Expanded::BySender => return End::UNKNOWN,
        };
        if leads_to_record {
            if let Some(Seen::Ok(texts)) = self.answers.texts(&name)
                && texts.missing
            {
                self.void(at, format!("TXT {name} does not exist"));
            }
            return self.visit(&name, Some((term, holder)));
        }
        self.count(term, holder, name, at);
        End::UNKNOWN
    }

    fn void(&mut self, at: usize, what: String) {
        if let Some(lookup) = self.walk.lookups.get_mut(at) {
            lookup.void = Some(what);
        }
    }

    fn count(&mut self, term: &Term, holder: &str, name: String, at: usize) {
        let (question, shown) = match term.kind {
            Kind::Mx => (Question::Mx(name.clone()), format!("MX {name}")),
            Kind::Exists => (Question::Exists(name.clone()), format!("A {name}")),
            _ => (Question::Address(name.clone()), format!("A and AAAA {name}")),
        };
        match self.answers.count(&question) {
            None => {
                self.walk.wanted.insert(question);
            }
            Some(Seen::Ok(0)) => self.void(at, format!("{shown}: no record")),
            Some(Seen::Ok(count)) if term.kind == Kind::Mx && *count > MX_HOSTS => {
                self.problem(Problem::MxHosts {
                    term: term.text.clone(),
                    holder: holder.to_owned(),
                    name,
                    count: *count,
                });
            }
            Some(Seen::Ok(_)) => {}
            Some(Seen::Target(fault)) => {
                let fault = fault.to_string();
                self.problem(Problem::Unanswered { question: shown, fault });
            }
            Some(Seen::Agent(fault)) => self.walk.unseen.push(format!("{shown}: {fault}")),
        }
    }
}
