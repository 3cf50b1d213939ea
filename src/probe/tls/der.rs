//! Reads the outer shape of DER (X.690), as far as certificates and OCSP answers need it.

/// The tags that are met.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const BIT_STRING: u8 = 0x03;
    pub(in super::super) const OCTET_STRING: u8 = 0x04;
    pub(in super::super) const NULL: u8 = 0x05;
    pub(in super::super) const OID: u8 = 0x06;
    pub(in super::super) const ENUMERATED: u8 = 0x0a;
    pub(in super::super) const GENERALIZED_TIME: u8 = 0x18;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    /// `[n]`, constructed.
    pub(in super::super) const fn context(n: u8) -> u8 {
        0xa0 | n
    }
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    /// What is inside.
    pub(super) content: &'a [u8],
    /// The element with its tag and length.
    pub(super) whole: &'a [u8],
}

/// Elements one after the other.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element, if its tag is this.
    pub(super) fn one(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.peek() == Some(tag) { self.next() } else { None }
    }

    /// A reader of what is inside the next element, if its tag is this.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.one(tag).map(|element| Self(element.content))
    }

    /// The tag of the next element.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        let (length, head) = match first {
            0..=0x7f => (usize::from(*first), 2),
            // Longer than three bytes of length is longer than anything that is read here.
            0x81..=0x83 => {
                let count = usize::from(first & 0x7f);
                let bytes = rest.get(..count)?;
                (bytes.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)), 2 + count)
            }
            _ => return None,
        };
        let (whole, after) = self.0.split_at_checked(head + length)?;
        self.0 = after;
        Some(Element { tag: *tag, content: whole.get(head..)?, whole })
    }
}

/// An element with this tag around `content`.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match length.as_slice() {
        [] => out.push(0),
        [short @ 0..=0x7f] => out.push(*short),
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            out.extend(long);
        }
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_of_every_length_are_read_as_they_are_written() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let bytes = element(tag::OCTET_STRING, &vec![7; length]);
            let mut reader = Reader::new(&bytes);
            let read = reader.one(tag::OCTET_STRING).unwrap();
            assert_eq!((read.content.len(), read.whole.len()), (length, bytes.len()));
            assert!(reader.next().is_none());
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut left = vec![Reader::new(&bytes)];
            while let Some(reader) = left.pop() {
                left.extend(reader.map(|element| Reader::new(element.content)));
            }
        }
    }
}
