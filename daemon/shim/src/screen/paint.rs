//! The rows of one grid, as bytes that paint them and as plain text.

use alacritty_terminal::grid::{Dimensions, Grid, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};

use super::style::{Style, append};

/// Paints all rows onto an empty screen in default style, and leaves the default style behind.
pub(super) fn rows(grid: &Grid<Cell>, out: &mut Vec<u8>) {
    let mut style = Style::default();
    let mut wrapped = false;
    for (number, row) in visible(grid).enumerate() {
        let length = painted_length(row, grid.columns());
        // A row that the one before ran over into is reached by running over too, so that the terminal knows the two
        // as one line when it is resized or copied from.
        if length > 0 && !wrapped {
            append(out, format_args!("\x1b[{};1H", number + 1));
        }
        for column in 0..length {
            let cell = &row[Column(column)];
            let part = part(row, column, grid.columns());
            if part == Part::Rest {
                continue;
            }
            let wanted = Style::of(cell);
            wanted.change(&style, out);
            style = wanted;
            push_part(cell, &part, out);
        }
        let runs_over = length == grid.columns() && row[Column(length - 1)].flags.contains(Flags::WRAPLINE);
        wrapped = runs_over && next_begins_with_text(grid, number);
    }
    Style::default().change(&style, out);
}

/// What a cell is of a character that may be two cells wide.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, or the first half of two.
    Character,
    /// Painted together with the character before it.
    Rest,
    /// Half a wide character, whose other half was erased or moved away: nothing can be painted there.
    Torn,
}

pub(super) fn part(row: &Row<Cell>, column: usize, columns: usize) -> Part {
    let has = |column: usize, flag| row[Column(column)].flags.contains(flag);
    let whole = |torn: bool, part| if torn { Part::Torn } else { part };
    if has(column, Flags::WIDE_CHAR) {
        whole(column + 1 >= columns || !has(column + 1, Flags::WIDE_CHAR_SPACER), Part::Character)
    } else if has(column, Flags::WIDE_CHAR_SPACER) {
        whole(column == 0 || !has(column - 1, Flags::WIDE_CHAR), Part::Rest)
    } else if has(column, Flags::LEADING_WIDE_CHAR_SPACER) {
        // Left free by a wide character that had no room: a blank leaves it free just as well.
        Part::Torn
    } else {
        Part::Character
    }
}

fn push_part(cell: &Cell, part: &Part, out: &mut Vec<u8>) {
    match part {
        Part::Character => push_cell(cell, out),
        Part::Rest => {}
        Part::Torn => out.push(b' '),
    }
}

/// The character of `cell`, with what combines with it.
pub(super) fn push_cell(cell: &Cell, out: &mut Vec<u8>) {
    // A tab leaves its character in the cell where it began; painted, it would jump.
    let base = if cell.c.is_control() { ' ' } else { cell.c };
    let mut utf8 = [0; 4];
    for character in std::iter::once(&base).chain(cell.zerowidth().unwrap_or_default()) {
        out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}

/// The rows as text; see [`super::Screen::text`].
pub(super) fn text(grid: &Grid<Cell>) -> String {
    let mut out = Vec::new();
    for row in visible(grid) {
        for column in 0..painted_length(row, grid.columns()) {
            push_part(&row[Column(column)], &part(row, column, grid.columns()), &mut out);
        }
        out.truncate(out.trim_ascii_end_of_line());
        out.push(b'\n');
    }
    let text = String::from_utf8_lossy(&out);
    text.trim_end_matches('\n').to_owned()
}

trait TrimLine {
    fn trim_ascii_end_of_line(&self) -> usize;
}

impl TrimLine for Vec<u8> {
    /// The length without the spaces at the end of the last line.
    fn trim_ascii_end_of_line(&self) -> usize {
        self.iter().rposition(|b| *b != b' ').map_or(0, |at| at + 1)
    }
}

fn visible(grid: &Grid<Cell>) -> impl Iterator<Item = &Row<Cell>> {
    // A screen has at most `TerminalSize::MAX` rows, so the cast loses nothing.
    (0..grid.screen_lines()).map(|line| &grid[Line(line as i32)])
}

/// How many cells of a row differ from a cleared one, counted to the last that does.
fn painted_length(row: &Row<Cell>, columns: usize) -> usize {
    let blank = Cell::default();
    (0..columns).rev().find(|c| row[Column(*c)] != blank).map_or(0, |last| last + 1)
}

fn next_begins_with_text(grid: &Grid<Cell>, number: usize) -> bool {
    let next = number + 1;
    next < grid.screen_lines() && painted_length(&grid[Line(next as i32)], grid.columns()) > 0
}
