//! A cell's look as SGR and hyperlink sequences.

use std::io::Write;

use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color, NamedColor};

/// What of a cell decides how its character looks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Style {
    fg: Color,
    bg: Color,
    underline: Option<Color>,
    flags: Flags,
    link: Option<Hyperlink>,
}

/// The flags that are looks; the others are layout.
const LOOKS: Flags = Flags::BOLD
    .union(Flags::DIM)
    .union(Flags::ITALIC)
    .union(Flags::INVERSE)
    .union(Flags::HIDDEN)
    .union(Flags::STRIKEOUT)
    .union(Flags::ALL_UNDERLINES);

/// Flags and the parameter that turns each on.
const PARAMETERS: [(Flags, &str); 11] = [
    (Flags::BOLD, "1"),
    (Flags::DIM, "2"),
    (Flags::ITALIC, "3"),
    (Flags::UNDERLINE, "4"),
    (Flags::DOUBLE_UNDERLINE, "4:2"),
    (Flags::UNDERCURL, "4:3"),
    (Flags::DOTTED_UNDERLINE, "4:4"),
    (Flags::DASHED_UNDERLINE, "4:5"),
    (Flags::INVERSE, "7"),
    (Flags::HIDDEN, "8"),
    (Flags::STRIKEOUT, "9"),
];

impl Style {
    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            underline: cell.underline_color(),
            flags: cell.flags & LOOKS,
            link: cell.hyperlink(),
        }
    }

    /// Goes over from the style `from` to this one.
    pub(super) fn change(&self, from: &Self, out: &mut Vec<u8>) {
        if self.link != from.link {
            self.write_link(out);
        }
        if (self.fg, self.bg, self.underline, self.flags) != (from.fg, from.bg, from.underline, from.flags) {
            self.write_sgr(out);
        }
    }

    fn write_sgr(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[0");
        for (flag, parameter) in PARAMETERS {
            if self.flags.contains(flag) {
                out.push(b';');
                out.extend_from_slice(parameter.as_bytes());
            }
        }
        write_color(self.fg, 30, out);
        write_color(self.bg, 40, out);
        match self.underline {
            // Semicolons would be read as three more parameters by a terminal that does not know 58.
            Some(Color::Spec(c)) => append(out, format_args!(";58:2::{}:{}:{}", c.r, c.g, c.b)),
            Some(Color::Indexed(n)) => append(out, format_args!(";58:5:{n}")),
            Some(Color::Named(n)) if (n as usize) < 16 => append(out, format_args!(";58:5:{}", n as usize)),
            _ => {}
        }
        out.push(b'm');
    }

    fn write_link(&self, out: &mut Vec<u8>) {
        match &self.link {
            Some(link) => append(out, format_args!("\x1b]8;id={};{}\x1b\\", link.id(), link.uri())),
            None => out.extend_from_slice(b"\x1b]8;;\x1b\\"),
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self::of(&Cell::default())
    }
}

/// One colour; `base` is 30 for text and 40 for its background. The default colours are what `0` has set.
fn write_color(color: Color, base: usize, out: &mut Vec<u8>) {
    match color {
        Color::Spec(c) => append(out, format_args!(";{};2;{};{};{}", base + 8, c.r, c.g, c.b)),
        Color::Indexed(n) => append(out, format_args!(";{};5;{n}", base + 8)),
        Color::Named(name) => match name as usize {
            n @ 0..8 => append(out, format_args!(";{}", base + n)),
            n @ 8..16 => append(out, format_args!(";{}", base + 60 + n - 8)),
            n if n >= NamedColor::DimBlack as usize && n < NamedColor::DimBlack as usize + 8 => {
                append(out, format_args!(";{}", base + n - NamedColor::DimBlack as usize));
            }
            _ => {}
        },
    }
}

pub(super) fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
}
