//! The colours of a terminal that nobody looks at: what the agent set, else xterm's palette, light on dark.

use alacritty_terminal::term::color::{COUNT, Colors};
use alacritty_terminal::vte::ansi::{NamedColor, Rgb};

/// xterm's first sixteen.
const NAMED: [u32; 16] = [
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00,
    0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
/// The steps of the colour cube.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

pub(super) fn color(set: &Colors, index: usize) -> Rgb {
    let chosen = if index < COUNT { set[index] } else { None };
    chosen.unwrap_or_else(|| default(index))
}

fn default(index: usize) -> Rgb {
    match index {
        0..16 => rgb(NAMED[index]),
        16..232 => {
            let cube = index - 16;
            Rgb { r: STEPS[cube / 36], g: STEPS[cube / 6 % 6], b: STEPS[cube % 6] }
        }
        232..256 => {
            // 24 greys, from 8 to 238.
            let grey = 8 + 10 * (index - 232) as u8;
            Rgb { r: grey, g: grey, b: grey }
        }
        _ if index == NamedColor::Background as usize => rgb(0x000000),
        _ => rgb(0xe5e5e5),
    }
}

fn rgb(hex: u32) -> Rgb {
    let [_, r, g, b] = hex.to_be_bytes();
    Rgb { r, g, b }
}
