//! The registration of the domain.

mod registration;

pub use registration::Registration;
