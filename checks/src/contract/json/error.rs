//! Why JSON is not what it should be, told without what stands in it.

use std::fmt;

use serde::de::{Expected, Unexpected};

/// Why JSON could not be read. As text it names keys and kinds of values and quotes none of them: an answer of
/// an outside system may hold a name, an address or a credential at any place, and megabytes of it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
enum Inner {
    /// It is no JSON.
    Syntax(serde_json::Error),
    /// It is nested too deeply, or has too many values.
    Large(usize),
    /// A value is of another shape.
    Shape {
        /// Which, without the value.
        told: String,
        /// The same with the value.
        quoting: String,
        /// Where it stands, from within to without.
        place: Vec<Step>,
    },
}

/// One step on the way to a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A member of a struct of ours.
    Member(&'static str),
    /// A member whose name the other side chose.
    Other,
    /// An element of a list.
    Element(usize),
}

impl Error {
    /// There are more values than `most`.
    pub(super) fn large(most: usize) -> Self {
        Self(Box::new(Inner::Large(most)))
    }

    /// The same error, of a value that stands in another.
    #[cold]
    pub(super) fn within(mut self, step: Step) -> Self {
        if let Inner::Shape { place, .. } = &mut *self.0 {
            place.push(step);
        }
        self
    }

    fn shape(told: String, quoting: String) -> Self {
        Self(Box::new(Inner::Shape { told, quoting, place: Vec::new() }))
    }

    fn known(told: String) -> Self {
        Self::shape(told.clone(), told)
    }

    /// The same with the value, for whoever wrote it.
    pub fn quoting(&self) -> String {
        match &*self.0 {
            Inner::Shape { quoting, .. } => quoting.clone(),
            Inner::Syntax(_) | Inner::Large(_) => self.to_string(),
        }
    }
}

impl From<serde_json::Error> for Error {
    /// The parser of JSON says what it expected at which line and column.
    fn from(error: serde_json::Error) -> Self {
        Self(Box::new(Inner::Syntax(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Syntax(error) => write!(f, "{error}"),
            Inner::Large(most) => write!(f, "it has more than {most} values"),
            Inner::Shape { told, place, .. } => {
                f.write_str(told)?;
                for (nth, step) in place.iter().rev().enumerate() {
                    f.write_str(match (nth, step) {
                        (0, _) => " at ",
                        (_, Step::Element(_)) => "",
                        _ => ".",
                    })?;
                    match step {
                        Step::Member(name) => f.write_str(name)?,
                        Step::Other => f.write_str("*")?,
                        Step::Element(nth) => write!(f, "[{nth}]")?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}

/// What kind of value was found.
fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant
        | Unexpected::Enum => "a case of an enum",
        Unexpected::Option | Unexpected::NewtypeStruct | Unexpected::Other(_) => "another value",
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::shape("a value that cannot be read".to_owned(), message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let told = format!("{} instead of {expected}", kind(&found));
        Self::shape(told, format!("invalid type: {found}, expected {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let told = format!("{} that is not {expected}", kind(&found));
        Self::shape(told, format!("invalid value: {found}, expected {expected}"))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::known(format!("invalid length {length}, expected {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let told = format!("a string that is none of {}", expected.join(", "));
        let quoting = serde_json::Error::unknown_variant(variant, expected).to_string();
        Self::shape(told, quoting)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let told = format!("a member that is none of {}", expected.join(", "));
        let quoting = serde_json::Error::unknown_field(field, expected).to_string();
        Self::shape(told, quoting)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::known(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::known(format!("duplicate field `{field}`"))
    }
}
