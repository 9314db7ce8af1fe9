//! Makes answers up: of the contract's shape, with whatever a plugin could write into it.

use fastrand::Rng;
use pu_engine::plugins::{Assembly, Attr, Label, Pick};

/// There are so many specs that more than 64 sound picks are possible.
const SPECS: u8 = 100;
/// One that exists and cannot be printed as it is.
const ODD: &str = "specs/odd\u{1b}[31m\u{202e}\n.md";
const SCORES: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    0.5,
    1.000_000_1,
    -1e-9,
    7.0,
    -7.0,
    1e-45,
    -1e-45,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
];
const TEXTS: [&str; 12] = [
    "",
    " ",
    "because",
    "../../etc/passwd",
    "specs/../specs/1.md",
    "specs/1.md\0",
    "\0",
    "a\nb\r\tc\u{7f}\u{9b}d",
    "\u{1b}]0;title\u{7}",
    "\u{202e}\u{2066}\u{2028}",
    "größer 🦀 e\u{301}",
    "3 more",
];

/// Whether there is a spec of this id, as far as these answers go.
pub fn exists(id: &str) -> bool {
    let number = id.strip_prefix("specs/").and_then(|rest| rest.strip_suffix(".md"));
    id == ODD || number.is_some_and(|number| number.parse::<u8>().is_ok_and(|number| number < SPECS))
}

/// Any answer.
pub fn any_answer(dice: &mut Rng) -> Assembly {
    let (labels, picks, notes) = (amount(dice), amount(dice), amount(dice));
    Assembly {
        labels: (0..labels).map(|_| Label { name: text(dice), confidence: score(dice) }).collect(),
        picks: (0..picks).map(|_| pick(dice)).collect(),
        notes: (0..notes).map(|_| text(dice)).collect(),
    }
}

/// Mostly few, now and then more than are allowed.
fn amount(dice: &mut Rng) -> usize {
    match dice.u8(..) {
        0..150 => dice.usize(0..6),
        150..235 => dice.usize(0..40),
        _ => dice.usize(0..=300),
    }
}

fn pick(dice: &mut Rng) -> Pick {
    Pick {
        spec: spec(dice),
        section: (dice.u8(..) < 64).then(|| text(dice)),
        score: score(dice),
        reason: text(dice),
        extra: (0..dice.usize(0..2)).map(|_| Attr { key: text(dice), value: text(dice) }).collect(),
    }
}

fn spec(dice: &mut Rng) -> String {
    match dice.u8(..) {
        0..180 => format!("specs/{}.md", dice.u8(..SPECS)),
        180..190 => ODD.to_owned(),
        // Other spellings of a number; 100 and more do not exist.
        190..210 => format!("specs/+00{}.md", dice.u8(..)),
        _ => text(dice),
    }
}

fn score(dice: &mut Rng) -> f32 {
    match dice.u8(..) {
        0..128 => dice.f32(),
        128..210 => SCORES[dice.usize(..SCORES.len())],
        _ => f32::from_bits(dice.u32(..)),
    }
}

fn text(dice: &mut Rng) -> String {
    match dice.u16(..1024) {
        0..600 => TEXTS[dice.usize(..TEXTS.len())].to_owned(),
        600..700 => format!("label-{}", dice.u8(..)),
        700..990 => (0..dice.usize(..20)).map(|_| dice.char(..)).collect(),
        // Around each of the limits.
        990..1022 => {
            TEXTS[dice.usize(2..TEXTS.len())].repeat(1 + 64 / TEXTS.len()).chars().cycle().take(around(dice)).collect()
        }
        _ => dice.char(..).to_string().repeat(100_000),
    }
}

fn around(dice: &mut Rng) -> usize {
    [64, 200, 500][dice.usize(..3)] + dice.usize(..4) - 2
}
