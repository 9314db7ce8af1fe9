//! A whole terminal state as bytes: both screens, scroll region, saved cursor, cursor, modes, colours, title.
//!
//! What the emulator keeps to itself and cannot be asked for is not restored: tab stops that an agent set, and which
//! of the four character sets is shifted in. Nor is a cursor that stands outside the scroll region in origin mode.

use alacritty_terminal::grid::{Cursor, Dimensions, Grid};
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::COUNT;
use alacritty_terminal::vte::ansi::{
    CharsetIndex, CursorShape, Handler, NamedColor, NamedPrivateMode, PrivateMode, StandardCharset,
};

use super::emulator::Emulator;
use super::paint;
use super::style::{Style, append};

/// Holds the picture back until it is complete, where the terminal can.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A known state to start from, on the primary screen, without erasing what a person scrolled away.
const RESET: &[u8] = b"\x1b[!p\x1b[?1049l\x1b[r\x1b[?6l\x1b[4l\x1b[20l\x1b[?7h\
    \x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[=0;1u";

/// The pen and character sets of a terminal that was just switched on.
const PLAIN: &[u8] = b"\x1b[0m\x1b]8;;\x1b\\\x0f\x1b(B\x1b)B\x1b*B\x1b+B";

const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Modes that are off after [`RESET`], and what turns each on.
const MODES: [(TermMode, &[u8]); 13] = [
    (TermMode::APP_CURSOR, b"\x1b[?1h"),
    (TermMode::APP_KEYPAD, b"\x1b="),
    (TermMode::MOUSE_REPORT_CLICK, b"\x1b[?1000h"),
    (TermMode::MOUSE_DRAG, b"\x1b[?1002h"),
    (TermMode::MOUSE_MOTION, b"\x1b[?1003h"),
    (TermMode::UTF8_MOUSE, b"\x1b[?1005h"),
    (TermMode::SGR_MOUSE, b"\x1b[?1006h"),
    (TermMode::FOCUS_IN_OUT, b"\x1b[?1004h"),
    (TermMode::BRACKETED_PASTE, b"\x1b[?2004h"),
    (TermMode::INSERT, b"\x1b[4h"),
    (TermMode::LINE_FEED_NEW_LINE, b"\x1b[20h"),
    (TermMode::ALTERNATE_SCROLL, b"\x1b[?1007h"),
    (TermMode::SHOW_CURSOR, b"\x1b[?25h"),
];

/// Modes that are on after [`RESET`], and what turns each off.
const MODES_OFF: [(TermMode, &[u8]); 3] = [
    (TermMode::ALTERNATE_SCROLL, b"\x1b[?1007l"),
    (TermMode::SHOW_CURSOR, b"\x1b[?25l"),
    (TermMode::LINE_WRAP, b"\x1b[?7l"),
];

pub(super) fn redraw(emulator: &mut Emulator) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 * 1024);
    out.extend_from_slice(BEGIN);
    out.extend_from_slice(RESET);
    out.extend_from_slice(PLAIN);
    write_colors(emulator, &mut out);
    if emulator.term.mode().contains(TermMode::ALT_SCREEN) {
        paint_primary_behind(emulator, &mut out);
        out.extend_from_slice(b"\x1b[?1049h");
        out.extend_from_slice(PLAIN);
    }
    out.extend_from_slice(CLEAR);
    paint::rows(emulator.term.grid(), &mut out);
    write_region_and_cursors(emulator, &mut out);
    write_modes(*emulator.term.mode(), &mut out);
    write_cursor_style(emulator, &mut out);
    if let Some(title) = emulator.title() {
        append(&mut out, format_args!("\x1b]0;{}\x1b\\", title.replace(char::is_control, "")));
    }
    out.extend_from_slice(END);
    out
}

/// Paints the primary screen while the alternate one is shown. The emulator hands out only the screen that is shown,
/// and clears the alternate one on the way back; so a copy of it is kept for the meantime.
fn paint_primary_behind(emulator: &mut Emulator, out: &mut Vec<u8>) {
    let alternate = emulator.term.grid().clone();
    emulator.term.swap_alt();
    out.extend_from_slice(CLEAR);
    paint::rows(emulator.term.grid(), out);
    let grid = emulator.term.grid();
    write_cursor(&grid.cursor, 0, grid, out);
    emulator.term.swap_alt();
    *emulator.term.grid_mut() = alternate;
}

/// The scroll region and origin mode move the cursor, and the saved cursor is set by saving the cursor: hence the order.
fn write_region_and_cursors(emulator: &mut Emulator, out: &mut Vec<u8>) {
    let (top, bottom) = scroll_region(emulator);
    let grid = emulator.term.grid();
    if (top, bottom) != (0, grid.screen_lines()) {
        append(out, format_args!("\x1b[{};{}r", top + 1, bottom));
    }
    write_cursor(&grid.saved_cursor, 0, grid, out);
    out.extend_from_slice(b"\x1b7");
    let origin = emulator.term.mode().contains(TermMode::ORIGIN);
    if origin {
        out.extend_from_slice(b"\x1b[?6h");
    }
    write_cursor(&grid.cursor, if origin { top } else { 0 }, grid, out);
}

/// Puts the cursor where it is, counted from the row `first`, with the style and character sets that it writes with.
fn write_cursor(cursor: &Cursor<Cell>, first: usize, grid: &Grid<Cell>, out: &mut Vec<u8>) {
    out.extend_from_slice(PLAIN);
    let Point { line, column } = cursor.point;
    // A cursor that has filled the row and will wrap with the next character: the last character, written once more,
    // brings that about.
    let last = cursor.input_needs_wrap.then(|| last_character(grid, cursor.point));
    let at = last.map_or(column, |(at, _)| at);
    let row = usize::try_from(line.0).unwrap_or(0).saturating_sub(first);
    append(out, format_args!("\x1b[{};{}H", row + 1, at.0 + 1));
    let mut style = Style::default();
    if let Some((_, cell)) = last {
        let wanted = Style::of(cell);
        wanted.change(&style, out);
        paint::push_cell(cell, out);
        style = wanted;
    }
    Style::of(&cursor.template).change(&style, out);
    let sets = [(CharsetIndex::G0, b'('), (CharsetIndex::G1, b')'), (CharsetIndex::G2, b'*'), (CharsetIndex::G3, b'+')];
    for (index, designate) in sets {
        if cursor.charsets[index] == StandardCharset::SpecialCharacterAndLineDrawing {
            out.extend_from_slice(&[0x1b, designate, b'0']);
        }
    }
}

/// The character that ends at `point`, and the column in which it begins.
fn last_character(grid: &Grid<Cell>, point: Point) -> (Column, &Cell) {
    let row = &grid[point.line];
    let begins_before = row[point.column].flags.contains(Flags::WIDE_CHAR_SPACER) && point.column > Column(0);
    let column = if begins_before { point.column - 1 } else { point.column };
    (column, &row[column])
}

/// The rows that scroll, as a half-open range. The emulator does not tell; but in origin mode it keeps the cursor
/// within them, so the cursor is sent to both ends and put back.
fn scroll_region(emulator: &mut Emulator) -> (usize, usize) {
    let term = &mut emulator.term;
    let cursor = term.grid().cursor.clone();
    let had_origin = term.mode().contains(TermMode::ORIGIN);
    let origin = PrivateMode::Named(NamedPrivateMode::Origin);
    Handler::set_private_mode(term, origin);
    Handler::goto(term, 0, 0);
    let top = term.grid().cursor.point.line;
    Handler::goto(term, i32::from(u16::MAX), 0);
    let bottom = term.grid().cursor.point.line + 1;
    if !had_origin {
        Handler::unset_private_mode(term, origin);
    }
    term.grid_mut().cursor = cursor;
    let row = |line: Line| usize::try_from(line.0).unwrap_or(0);
    (row(top), row(bottom))
}

fn write_modes(mode: TermMode, out: &mut Vec<u8>) {
    for (flag, on) in MODES {
        if mode.contains(flag) {
            out.extend_from_slice(on);
        }
    }
    for (flag, off) in MODES_OFF {
        if !mode.contains(flag) {
            out.extend_from_slice(off);
        }
    }
    let kitty = [
        (TermMode::DISAMBIGUATE_ESC_CODES, 1),
        (TermMode::REPORT_EVENT_TYPES, 2),
        (TermMode::REPORT_ALTERNATE_KEYS, 4),
        (TermMode::REPORT_ALL_KEYS_AS_ESC, 8),
        (TermMode::REPORT_ASSOCIATED_TEXT, 16),
    ];
    let flags: u8 = kitty.iter().filter(|(flag, _)| mode.contains(*flag)).map(|(_, bit)| bit).sum();
    if flags > 0 {
        append(out, format_args!("\x1b[={flags};1u"));
    }
}

fn write_cursor_style(emulator: &Emulator, out: &mut Vec<u8>) {
    let style = emulator.term.cursor_style();
    let steady = match style.shape {
        CursorShape::Underline => 4,
        CursorShape::Beam => 6,
        _ => 2,
    };
    let is_default = style == alacritty_terminal::vte::ansi::CursorStyle::default();
    let number = if is_default { 0 } else { steady - u8::from(style.blinking) };
    append(out, format_args!("\x1b[{number} q"));
}

/// The colours that the agent changed.
fn write_colors(emulator: &Emulator, out: &mut Vec<u8>) {
    let colors = emulator.term.colors();
    for index in 0..COUNT {
        let Some(c) = colors[index] else { continue };
        let dynamic = [(NamedColor::Foreground, 10), (NamedColor::Background, 11), (NamedColor::Cursor, 12)];
        let value = format!("rgb:{:02x}/{:02x}/{:02x}", c.r, c.g, c.b);
        if index < 256 {
            append(out, format_args!("\x1b]4;{index};{value}\x1b\\"));
        } else if let Some((_, code)) = dynamic.iter().find(|(name, _)| *name as usize == index) {
            append(out, format_args!("\x1b]{code};{value}\x1b\\"));
        }
    }
}
