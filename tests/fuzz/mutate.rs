//! Mutations that depend on nothing but the name of the target and its corpus.

/// Words that parsers of text, JSON and numbers stumble over.
const WORDS: [&[u8]; 24] = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r\n",
    b"\x1e",
    b"\t",
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"[",
    b";",
    b"=",
    b"%",
    b":",
    b"-1",
    b"0",
    b"1e999",
    b"9223372036854775808",
    b"null",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x8c\x8a",
    b"\xc3\x28",
    b"99999999999999999999999999999999",
];

/// A sequence of numbers (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }
}

/// Mutations of inputs, without an end.
pub(crate) struct Mutations<'a> {
    numbers: Numbers,
    inputs: Vec<&'a [u8]>,
    longest: usize,
}

impl<'a> Mutations<'a> {
    pub(crate) fn new(name: &str, mut inputs: Vec<&'a [u8]>, longest: usize) -> Self {
        let short = inputs.iter().any(|input| input.len() <= longest);
        inputs.retain(|input| input.len() <= longest || !short);
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { numbers: Numbers(seed), inputs, longest }
    }

    fn mutate(&mut self, data: &mut Vec<u8>) {
        let at = self.numbers.below(data.len() + 1);
        let end = (at + 1 + self.numbers.below(16)).min(data.len());
        match self.numbers.below(8) {
            0 => {
                let word = WORDS[self.numbers.below(WORDS.len())];
                data.splice(at..at, word.iter().copied());
            }
            1 => {
                let word = WORDS[self.numbers.below(WORDS.len())];
                data.splice(at..end.max(at), word.iter().copied());
            }
            2 if at < data.len() => data[at] ^= 1 << self.numbers.below(8),
            3 if at < data.len() => data[at] = u8::try_from(self.numbers.below(256)).unwrap(),
            4 => drop(data.drain(at..end.max(at))),
            5 => {
                let piece = data[at..end.max(at)].to_vec();
                let times = 1 + self.numbers.below(40);
                data.splice(at..at, piece.repeat(times));
            }
            6 => data.truncate(at),
            _ => {
                let other = self.inputs[self.numbers.below(self.inputs.len())];
                let from = self.numbers.below(other.len() + 1);
                data.truncate(at);
                data.extend(&other[from..]);
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let input = self.numbers.below(self.inputs.len());
        let mut data = self.inputs.get(input)?.to_vec();
        for _ in 0..=self.numbers.below(4) {
            self.mutate(&mut data);
        }
        data.truncate(self.longest);
        Some(data)
    }
}
