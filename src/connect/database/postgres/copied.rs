//! The text form of COPY, cut into rows and values ("COPY", section "Text Format" of PostgreSQL's manual).

use std::ops::Range;

use launchready_checks::probe::Row;

/// The most bytes of one row.
const ROW_BYTES: usize = 1024 * 1024;

/// Why the bytes are no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// A row is longer than any that is asked for.
    TooLong,
    /// It is no UTF-8.
    NoText,
}

/// Takes bytes in pieces of any length and tells whole rows.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// The beginning of a row whose end has not come.
    begun: Vec<u8>,
    /// The values of the row that is told, without their signs of escape.
    plain: String,
    /// Where each value is; nothing for no value.
    places: Vec<Option<Range<usize>>>,
}

impl Copied {
    /// Takes the next piece.
    pub(super) fn take(
        &mut self,
        mut piece: &[u8],
        told: &mut dyn FnMut(Row<'_>),
    ) -> Result<(), Odd> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            piece = rest.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                self.row(line, told)?;
            } else {
                let mut whole = std::mem::take(&mut self.begun);
                whole.extend_from_slice(line);
                self.row(&whole, told)?;
            }
        }
        if self.begun.len() + piece.len() > ROW_BYTES {
            return Err(Odd::TooLong);
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    fn row(&mut self, line: &[u8], told: &mut dyn FnMut(Row<'_>)) -> Result<(), Odd> {
        if line.len() > ROW_BYTES {
            return Err(Odd::TooLong);
        }
        let line = std::str::from_utf8(line).map_err(|_error| Odd::NoText)?;
        self.plain.clear();
        self.places.clear();
        for value in line.split('\t') {
            if value == "\\N" {
                self.places.push(None);
                continue;
            }
            let begin = self.plain.len();
            unescape(value, &mut self.plain);
            self.places.push(Some(begin..self.plain.len()));
        }
        let plain = self.plain.as_str();
        let values: Vec<Option<&str>> =
            self.places.iter().map(|place| plain.get(place.clone()?)).collect();
        told(Row(&values));
        Ok(())
    }
}

/// Appends a value without its signs of escape.
fn unescape(value: &str, plain: &mut String) {
    let mut parts = value.split('\\');
    plain.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let mut signs = part.chars();
        match signs.next() {
            // Two backslashes are one, and what follows them is as it stands.
            None => {
                plain.push('\\');
                plain.push_str(parts.next().unwrap_or_default());
            }
            Some(sign) => {
                plain.push(match sign {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    other => other,
                });
                plain.push_str(signs.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(pieces: &[&[u8]]) -> Result<Vec<Vec<Option<String>>>, Odd> {
        let (mut copied, mut rows) = (Copied::default(), Vec::new());
        for piece in pieces {
            copied.take(piece, &mut |row| {
                rows.push(row.0.iter().map(|value| value.map(ToOwned::to_owned)).collect());
            })?;
        }
        Ok(rows)
    }

    #[test]
    fn values_come_as_they_are() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            rows(&[b"a\\tb\t\\N\t\t\\\\N\nx\\\\n\\n\ty", b"\tz\tw\n"]).unwrap(),
            [
                vec![some("a\tb"), None, some(""), some("\\N")],
                vec![some("x\\n\n"), some("y"), some("z"), some("w")]
            ]
        );
        assert_eq!(rows(&[b"\xff\n"]), Err(Odd::NoText));
        assert_eq!(rows(&[&vec![b'x'; ROW_BYTES + 1]]), Err(Odd::TooLong));
    }

    /// As the server writes a value.
    fn escape(value: &str) -> String {
        value
            .chars()
            .map(|sign| match sign {
                '\\' => "\\\\".to_owned(),
                '\n' => "\\n".to_owned(),
                '\r' => "\\r".to_owned(),
                '\t' => "\\t".to_owned(),
                other => other.to_string(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back_wherever_the_pieces_are_cut(
            values in prop::collection::vec("[a\\\\\n\r\t'\"é]{0,6}", 1..4),
            cut in 0_usize..40,
        ) {
            let line = values.iter().map(|value| escape(value)).collect::<Vec<_>>().join("\t");
            let bytes = format!("{line}\n").into_bytes();
            let (one, other) = bytes.split_at(cut.min(bytes.len()));
            let back = rows(&[one, other]).unwrap();
            let wanted: Vec<_> = values.iter().cloned().map(Some).collect();
            prop_assert_eq!(back, [wanted]);
        }
    }
}
