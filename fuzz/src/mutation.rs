//! Damages bytes, in ways that a component may still be recognised after.

use std::ops::Range;

use fastrand::Rng;

use crate::section::{Section, sections, size};

/// No range that is moved or copied is longer, and no file grows without end.
const RANGE_MAX: usize = 4096;

/// Damages the bytes once, seldom more often; `other` is where foreign pieces come from.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Rng) {
    let times = if dice.u8(..4) == 0 { dice.usize(2..8) } else { 1 };
    for _ in 0..times {
        // Most keep every length as it is, or hardly any would be compiled.
        match dice.u8(..16) {
            0..8 => flip(bytes, dice),
            8 => bytes.truncate(dice.usize(..=bytes.len())),
            9..11 => move_range(bytes, dice),
            11..13 => splice(bytes, other, dice),
            13 => resize_section(bytes, dice),
            _ => move_section(bytes, other, dice),
        }
    }
}

/// Changes a few bytes that stand near each other.
fn flip(bytes: &mut [u8], dice: &mut Rng) {
    let near = range(bytes, dice);
    for _ in 0..dice.usize(1..6) {
        if near.is_empty() {
            return;
        }
        let byte = &mut bytes[dice.usize(near.clone())];
        *byte = match dice.u8(..3) {
            0 => *byte ^ (1 << dice.u8(..8)),
            1 => [0, 1, 0x7f, 0x80, 0xff][dice.usize(..5)],
            _ => dice.u8(..),
        };
    }
}

/// Removes a range, doubles it, or swaps it with another of its length.
fn move_range(bytes: &mut Vec<u8>, dice: &mut Rng) {
    let one = range(bytes, dice);
    match dice.u8(..4) {
        0 => drop(bytes.drain(one)),
        1 => {
            let piece = bytes[one.clone()].to_vec();
            bytes.splice(one.end..one.end, piece);
        }
        _ => {
            let start = dice.usize(..=bytes.len() - one.len());
            let other = start..start + one.len();
            swap(bytes, one, other);
        }
    }
}

fn swap(bytes: &mut Vec<u8>, one: Range<usize>, other: Range<usize>) {
    let (first, second) = if one.start <= other.start { (one, other) } else { (other, one) };
    if first.end > second.start {
        return;
    }
    let (early, late) = (bytes[first.clone()].to_vec(), bytes[second.clone()].to_vec());
    bytes.splice(second, early);
    bytes.splice(first, late);
}

/// Puts a piece of the other in: between, in place of as many bytes, or in place of all that follows.
fn splice(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Rng) {
    let piece = &other[range(other, dice)];
    let at = dice.usize(..=bytes.len());
    match dice.u8(..4) {
        0 => drop(bytes.splice(at..at, piece.iter().copied())),
        1..3 => drop(bytes.splice(at..(at + piece.len()).min(bytes.len()), piece.iter().copied())),
        _ => {
            bytes.truncate(at);
            bytes.extend(&other[at.min(other.len())..]);
        }
    }
}

/// Gives a section another size than it has.
fn resize_section(bytes: &mut Vec<u8>, dice: &mut Rng) {
    let Some(Section { whole, size: place }) = dice.choice(sections(bytes)) else { return };
    let length = whole.end - place.end;
    let wrong = match dice.u8(..4) {
        0 => length + dice.usize(1..16),
        1 => length.saturating_sub(dice.usize(1..16)),
        2 => u32::MAX as usize - dice.usize(..16),
        _ => dice.usize(..=length * 2),
    };
    bytes.splice(place, size(wrong));
}

/// Removes a whole section, doubles it, swaps it with another, or puts a foreign one before it.
fn move_section(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Rng) {
    let (own, foreign) = (sections(bytes), sections(other));
    let (Some(one), Some(two), Some(foreign)) = (dice.choice(own.clone()), dice.choice(own), dice.choice(foreign))
    else {
        return;
    };
    match dice.u8(..4) {
        0 => drop(bytes.drain(one.whole)),
        1 => {
            let piece = bytes[one.whole.clone()].to_vec();
            bytes.splice(one.whole.end..one.whole.end, piece);
        }
        2 => swap(bytes, one.whole, two.whole),
        _ => drop(bytes.splice(one.whole.start..one.whole.start, other[foreign.whole].iter().copied())),
    }
}

/// Any range, short ones more often.
fn range(bytes: &[u8], dice: &mut Rng) -> Range<usize> {
    let start = dice.usize(..=bytes.len());
    let longest = if dice.bool() { 16 } else { RANGE_MAX };
    start..(start + dice.usize(..=longest)).min(bytes.len())
}
