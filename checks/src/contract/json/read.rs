//! What a visitor of serde is shown of a value.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::Value;

use super::error::{Error, Step};
use super::key::Key;

/// A value that is read.
#[derive(Clone, Copy)]
pub(super) struct Read<'a>(pub(super) &'a Value);

impl<'a> Read<'a> {
    /// The value is of another kind than what is expected.
    #[cold]
    fn other(self, expected: &dyn Expected) -> Error {
        let found = match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(it) => Unexpected::Bool(*it),
            Value::Number(it) => match (it.as_u64(), it.as_i64()) {
                (Some(it), _) => Unexpected::Unsigned(it),
                (None, Some(it)) => Unexpected::Signed(it),
                (None, None) => Unexpected::Float(it.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(it) => Unexpected::Str(it),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(found, expected)
    }

    fn number<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Number(number) = self.0 else { return Err(self.other(&visitor)) };
        match (number.as_u64(), number.as_i64()) {
            (Some(it), _) => visitor.visit_u64(it),
            (None, Some(it)) => visitor.visit_i64(it),
            (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(it) => visitor.visit_borrowed_str(it),
            _ => Err(self.other(&visitor)),
        }
    }

    fn list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Array(items) = self.0 else { return Err(self.other(&visitor)) };
        let mut rest = Items { rest: items.iter(), count: items.len() };
        let value = visitor.visit_seq(&mut rest)?;
        rest.nothing_left()?;
        Ok(value)
    }

    /// An object; `known` are the members that ours has.
    fn members<V: Visitor<'a>>(
        self,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::Object(members) = self.0 else { return Err(self.other(&visitor)) };
        visitor.visit_map(Members { rest: members.iter(), last: None, known })
    }
}

/// Methods that show a value in one way.
macro_rules! shown {
    ($($way:ident: $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$way(visitor)
        }
    )+)+};
}

impl<'a> Deserializer<'a> for Read<'a> {
    type Error = Error;

    shown! {
        number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
            deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64;
        text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
        list: deserialize_seq;
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.members(&[], visitor)
    }

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(*it),
            Value::Number(_) => self.number(visitor),
            Value::String(it) => visitor.visit_borrowed_str(it),
            Value::Array(_) => self.list(visitor),
            Value::Object(_) => self.members(&[], visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(it) => visitor.visit_bool(*it),
            _ => Err(self.other(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(it) => visitor.visit_borrowed_str(it),
            _ => self.list(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(self.other(&visitor)) }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.members(fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, held: None }),
            Value::Object(members) => match (members.iter().next(), members.len()) {
                (Some((name, held)), 1) => {
                    visitor.visit_enum(Variant { name, held: Some(Read(held)) })
                }
                _ => Err(Error::invalid_value(Unexpected::Map, &"map with a single key")),
            },
            _ => Err(self.other(&"string or map")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

struct Items<'a> {
    rest: std::slice::Iter<'a, Value>,
    /// How many there were.
    count: usize,
}

impl Items<'_> {
    fn nothing_left(&self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            _ => Err(Error::invalid_length(self.count, &"fewer elements in array")),
        }
    }

    /// An error of the element that was read last.
    #[cold]
    fn at_last(&self, error: Error) -> Error {
        error.within(Step::Element(self.count - self.rest.len() - 1))
    }
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        seed.deserialize(Read(item)).map(Some).map_err(|error| self.at_last(error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Members<'a> {
    rest: serde_json::map::Iter<'a>,
    /// The member whose key was read last.
    last: Option<(&'a String, &'a Value)>,
    /// The members that ours has.
    known: &'static [&'static str],
}

impl Members<'_> {
    /// An error of the member of this key.
    #[cold]
    fn at(&self, key: &str, error: Error) -> Error {
        let known = self.known.iter().find(|known| **known == key);
        error.within(known.map_or(Step::Other, |known| Step::Member(known)))
    }
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.last = self.rest.next();
        let Some((key, _)) = self.last else { return Ok(None) };
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let last = self.last.take();
        let (key, value) = last.ok_or_else(|| Error::custom("a value was read before its key"))?;
        seed.deserialize(Read(value)).map_err(|error| self.at(key, error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// One case of an enum, and what it holds.
pub(super) struct Variant<'a> {
    pub(super) name: &'a str,
    pub(super) held: Option<Read<'a>>,
}

/// What a case holds.
pub(super) struct Held<'a>(Option<Read<'a>>);

impl<'a> Held<'a> {
    fn some(self, expected: &'static str) -> Result<Read<'a>, Error> {
        self.0.ok_or_else(|| Error::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Error;
    type Variant = Held<'a>;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Held<'a>), Error> {
        let name: StrDeserializer<'a, Error> = StrDeserializer::new(self.name);
        Ok((seed.deserialize(name)?, Held(self.held)))
    }
}

impl<'a> VariantAccess<'a> for Held<'a> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            Some(held) if !held.0.is_null() => Err(held.other(&"unit variant")),
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.some("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.some("tuple variant")?.list(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.some("struct variant")?.members(fields, visitor)
    }
}
