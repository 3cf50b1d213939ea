//! A key of an object, which is text in JSON whatever it is in ours.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Error;
use super::read::Variant;

pub(super) struct Key<'a>(pub(super) &'a str);

/// Keys that are numbers: those that are none are shown as text, which the visitor refuses with what it expects.
macro_rules! numbers {
    ($($kind:ty, $visit:ident: $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$kind>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )+)+};
}

impl<'a> Deserializer<'a> for Key<'a> {
    type Error = Error;

    numbers! {
        i64, visit_i64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64;
        u64, visit_u64: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64;
    }

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant { name: self.0, held: None })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
