//! How values of one hour are kept: count, sum, least, greatest, and buckets on a logarithmic scale.

use std::collections::BTreeMap;

/// Each bucket ends at this many times its start. A value is off by at most half a bucket's width from
/// the middle that stands for it: (1.1 − 1) / (1.1 + 1) = 4.8 %.
const GROWTH: f64 = 1.1;
/// Smaller values count as zero: no unit that is measured has meaning below it.
const ZERO: f64 = 1e-9;
/// Added to the number of a bucket so that it is above zero for every value that a float can hold.
const SHIFT: i64 = 10_000;

/// The values of one measurement in one hour.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Histogram {
    /// How many values.
    pub(super) count: u64,
    /// Their sum.
    pub(super) sum: f64,
    /// The least.
    pub(super) min: f64,
    /// The greatest.
    pub(super) max: f64,
    /// How many in each bucket. Keys are in the order of the values: negative ones below zero.
    buckets: BTreeMap<i64, u64>,
}

/// The bucket of a value.
fn bucket(value: f64) -> i64 {
    if value.abs() < ZERO {
        return 0;
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a finite float lies between -8,000 and 8,000"
    )]
    let number = (value.abs().ln() / GROWTH.ln()).ceil() as i64 + SHIFT;
    if value < 0.0 { -number } else { number }
}

/// The value that stands for a bucket.
fn middle(bucket: i64) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let end = GROWTH.powf((bucket.abs() - SHIFT) as f64);
    let middle = 2.0 * end / (GROWTH + 1.0);
    if bucket < 0 { -middle } else { middle }
}

impl Histogram {
    /// Counts a value. One that is no number is left out.
    pub(super) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.count += 1;
        self.sum += value;
        *self.buckets.entry(bucket(value)).or_default() += 1;
    }

    /// Adds the values of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = if self.count == 0 { other.max } else { self.max.max(other.max) };
        self.count += other.count;
        self.sum += other.sum;
        for (key, count) in &other.buckets {
            *self.buckets.entry(*key).or_default() += count;
        }
    }

    /// The mean; zero where there is no value.
    pub(super) fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The value at or below which a part of all values lies, to half the width of a bucket.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let wanted = (part * self.count as f64).ceil().max(1.0);
        let mut seen = 0_u64;
        for (key, count) in &self.buckets {
            seen += count;
            if seen as f64 >= wanted {
                return middle(*key).clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// Appends it to bytes.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        write_number(bytes, self.count);
        for value in [self.sum, self.min, self.max] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        write_number(bytes, self.buckets.len() as u64);
        let mut last = 0;
        for (key, count) in &self.buckets {
            write_signed(bytes, key - last);
            write_number(bytes, *count);
            last = *key;
        }
    }

    /// Reads what [`write`](Self::write) wrote from the front of bytes.
    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let count = read_number(bytes)?;
        let (sum, min, max) = (read_float(bytes)?, read_float(bytes)?, read_float(bytes)?);
        let mut buckets = BTreeMap::new();
        let mut key = 0_i64;
        for _ in 0..read_number(bytes)? {
            key = key.checked_add(read_signed(bytes)?)?;
            buckets.insert(key, read_number(bytes)?);
        }
        Some(Self { count, sum, min, max, buckets })
    }
}

/// Appends a number, seven bits a byte, the lowest first.
pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits are kept")]
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Reads a number from the front of bytes.
pub(super) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn write_signed(bytes: &mut Vec<u8>, number: i64) {
    write_number(bytes, (number.unsigned_abs() << 1) | u64::from(number < 0));
}

fn read_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = read_number(bytes)?;
    let size = i64::try_from(number >> 1).ok()?;
    Some(if number & 1 == 1 { -size } else { size })
}

fn read_float(bytes: &mut &[u8]) -> Option<f64> {
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(f64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "bounds of buckets are exact")]
    use super::*;

    fn of(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.add(*value);
        }
        histogram
    }

    #[test]
    fn a_quantile_is_off_by_less_than_five_per_cent_at_every_size() {
        for scale in [1e-6, 0.003, 1.0, 47.0, 86_400.0, 1.8e9, 1e300] {
            let values: Vec<f64> = (1..=1000).map(|step| scale * f64::from(step)).collect();
            for (part, exact) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
                let (said, exact) = (of(&values).quantile(part), exact * scale);
                assert!((said - exact).abs() / exact <= 0.05, "{said} for {exact}");
            }
        }
    }

    #[test]
    fn values_below_zero_zero_and_what_is_no_number_have_their_place() {
        let histogram = of(&[-100.0, -1.0, 0.0, f64::NAN, f64::INFINITY, 1.0, 100.0]);
        assert_eq!(histogram.count, 5);
        assert_eq!((histogram.min, histogram.max), (-100.0, 100.0));
        assert!(histogram.mean().abs() < f64::EPSILON);
        assert_eq!(histogram.quantile(0.6), 0.0);
        assert_eq!(histogram.quantile(0.01), -100.0);
        assert_eq!(histogram.quantile(1.0), 100.0);
        assert_eq!(Histogram::default().quantile(0.95), 0.0);
    }

    #[test]
    fn what_is_written_is_read_back_and_two_halves_make_the_whole() {
        let values: Vec<f64> = (-50..500).map(|step| f64::from(step) * 0.37).collect();
        let (left, right) = values.split_at(200);
        let mut both = of(left);
        both.merge(&of(right));
        let whole = of(&values);
        assert_eq!(both.quantile(0.95), whole.quantile(0.95));
        assert_eq!(both.count, whole.count);
        let mut bytes = Vec::new();
        whole.write(&mut bytes);
        assert_eq!(Histogram::read(&mut bytes.as_slice()), Some(whole));
        for cut in 0..bytes.len() {
            assert_eq!(Histogram::read(&mut &bytes[..cut]), None);
        }
    }
}
