//! A redraw, fed to a fresh screen, must give the same screen: cell by cell, with the same state behind it.

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use pu_protocol::frame::TerminalSize;

use super::*;

/// Output that makes the emulator of these tests panic.
pub(super) const POISON: &[u8] = b"\x1b]poison";

const SIZE: TerminalSize = TerminalSize::new(20, 6);

fn screen(output: &[u8]) -> Screen {
    let mut screen = Screen::new(SIZE);
    screen.feed(output).unwrap();
    screen.take_answers();
    screen
}

fn assert_same(a: &mut Screen, b: &mut Screen, what: &str) {
    assert_eq!(a.text().unwrap(), b.text().unwrap(), "{what}: text");
    let (left, right) = (&a.emulator.term, &b.emulator.term);
    for cell in left.grid().display_iter() {
        let (a, b) = (painted(left.grid(), cell.point), painted(right.grid(), cell.point));
        assert_eq!(a, b, "{what}: cell at {:?}", cell.point);
    }
    assert_eq!(left.grid().cursor, right.grid().cursor, "{what}: cursor");
    let (saved_left, saved_right) = (&left.grid().saved_cursor, &right.grid().saved_cursor);
    assert_eq!(saved_left.point, saved_right.point, "{what}: saved cursor");
    let unlike = TermMode::URGENCY_HINTS;
    assert_eq!(*left.mode() - unlike, *right.mode() - unlike, "{what}: modes");
    assert_eq!(left.cursor_style(), right.cursor_style(), "{what}: cursor style");
    assert_eq!(a.title(), b.title(), "{what}: title");
}

/// A cell as it looks: where a tab began, or half a wide character is left over, nothing is to be
/// seen, and a row that runs over into an empty one is no other than one that ends.
fn painted(grid: &Grid<Cell>, point: Point) -> Cell {
    let mut cell = grid[point].clone();
    let torn = paint::part(&grid[point.line], point.column.0, grid.columns()) == paint::Part::Torn;
    if torn {
        cell.flags -= Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
        cell.extra = None;
    }
    let below = usize::try_from(point.line.0 + 1).unwrap();
    let ends = below >= grid.screen_lines()
        || (0..grid.columns()).all(|c| grid[Point::new(point.line + 1_i32, Column(c))] == Cell::default());
    if ends || point.column != grid.last_column() {
        cell.flags -= Flags::WRAPLINE;
    }
    if torn || cell.c == '\t' {
        cell.c = ' ';
    }
    cell
}

const STREAMS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("text", "hello\r\nworld"),
    ("scrolled", "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8"),
    ("colours", "\x1b[1;31mred\x1b[0;48;5;200m bg \x1b[38;2;1;2;3;4:3;58:2::9:8:7mx\x1b[0m\x1b[97;100mbright"),
    ("background to the end", "\x1b[44mblue\x1b[K\x1b[0m\r\nx"),
    ("attributes", "\x1b[2;3;4;7;8;9mall\x1b[0m\x1b[4:2mdouble\x1b[4:5mdash"),
    ("wrapped line", "0123456789012345678901234567890"),
    ("about to wrap", "01234567890123456789"),
    ("about to wrap in colour", "\x1b[32m01234567890123456789"),
    ("wide", "\u{4f60}\u{597d} wide \u{1f600}"),
    ("wide at the edge", "0123456789012345678\u{4f60}x"),
    ("combining", "e\u{301}a\u{308}"),
    ("tab", "a\tb\tc"),
    ("hyperlink", "\x1b]8;id=7;https://example.org/\x1b\\link\x1b]8;;\x1b\\ no"),
    ("alternate", "behind\r\n\x1b[33mprompt$ \x1b[?1049h\x1b[2J\x1b[3;4Hin front"),
    ("back from alternate", "behind\x1b[?1049hx\x1b[?1049l more"),
    ("modes", "\x1b[?1h\x1b=\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[?7l\x1b[4h\x1b[20h\x1b[?1007l"),
    ("mouse", "\x1b[?1003h\x1b[?1005h"),
    ("scroll region", "a\r\nb\r\nc\r\nd\x1b[2;4r\x1b[3;1Hin"),
    ("origin", "\x1b[2;4r\x1b[?6h\x1b[2;3Hin"),
    ("saved cursor", "\x1b[4;5H\x1b[35m\x1b7\x1b[1;1H\x1b[0mx"),
    ("line drawing", "\x1b(0lqqk\x1b(Bx\x1b(0"),
    ("pen", "\x1b[1;4;36m"),
    ("cursor shape", "\x1b[5 qx"),
    ("title", "\x1b]2;a title; with; parts\x07x"),
    ("kitty keyboard", "\x1b[>5u"),
    ("kitty keyboard on alternate", "\x1b[>1u\x1b[?1049h\x1b[>7u"),
    ("colour table", "\x1b]4;1;rgb:12/34/56\x1b\\\x1b]11;#102030\x1b\\"),
];

#[test]
fn a_redraw_gives_the_same_screen() {
    for (what, stream) in STREAMS {
        let mut original = screen(stream.as_bytes());
        let painted = original.redraw().unwrap();
        let mut copy = screen(&painted);
        assert_same(&mut original, &mut copy, what);
        assert_same(&mut original, &mut screen(stream.as_bytes()), &format!("{what}, after painting"));
        for index in [1, 257] {
            assert_eq!(original.emulator.term.colors()[index], copy.emulator.term.colors()[index], "{what}");
        }
    }
}

#[test]
fn a_redraw_paints_over_whatever_was_there() {
    let mut original = screen(b"\x1b[5;2Hplain");
    let painted = original.redraw().unwrap();
    for (what, before) in STREAMS.iter().filter(|(what, _)| !["colour table", "title"].contains(what)) {
        let mut other = screen(before.as_bytes());
        other.feed(&painted).unwrap();
        assert_same(&mut original, &mut other, what);
    }
}

/// What follows a redraw may begin anywhere in a sequence: the screens must agree from every byte on.
#[test]
fn a_redraw_at_any_byte_is_continued_by_the_rest() {
    for (what, stream) in STREAMS {
        let stream = stream.as_bytes();
        let mut whole = screen(stream);
        for cut in 0..=stream.len() {
            let mut first = screen(&stream[..cut]);
            let mut second = screen(&first.redraw().unwrap());
            second.feed(&stream[cut..]).unwrap();
            assert_same(&mut whole, &mut second, &format!("{what}, cut at {cut}"));
        }
    }
}

#[test]
fn the_primary_screen_behind_the_alternate_one_is_painted_too() {
    let mut original = screen(b"shell$ vim\r\n\x1b[?1049hfull screen");
    let mut copy = screen(&original.redraw().unwrap());
    for screen in [&mut original, &mut copy] {
        screen.feed(b"\x1b[?1049l").unwrap();
    }
    assert_same(&mut original, &mut copy, "after leaving the alternate screen");
    assert!(copy.text().unwrap().starts_with("shell$ vim"));
}

#[test]
fn queries_are_answered() {
    let table: &[(&str, &str)] = &[
        ("\x1b[c", "\x1b[?6c"),
        ("\x1b[5n", "\x1b[0n"),
        ("ab\x1b[6n", "\x1b[1;3R"),
        ("\x1b[18t", "\x1b[8;6;20t"),
        ("\x1b]11;?\x07", "\x1b]11;rgb:0000/0000/0000\x07"),
        ("\x1b]11;#102030\x07\x1b]11;?\x07", "\x1b]11;rgb:1010/2020/3030\x07"),
        ("\x1b[>5u\x1b[?u", "\x1b[?5u"),
        ("plain", ""),
    ];
    for (query, answer) in table {
        let mut screen = Screen::new(SIZE);
        screen.feed(query.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(screen.take_answers()).unwrap(), *answer, "{query:?}");
        assert!(screen.take_answers().is_empty(), "{query:?} is answered once");
    }
}

#[test]
fn a_panic_in_the_emulator_costs_a_rebuild() {
    let mut screen = screen(b"before");
    assert_eq!(screen.feed(POISON), Err(EmulatorFailed));
    assert_eq!(screen.text().unwrap(), "");
    screen.rebuild(b"before\x1b[c").unwrap();
    assert!(screen.take_answers().is_empty(), "old queries are not answered again");
    screen.feed(b" and after").unwrap();
    assert_eq!(screen.text().unwrap(), "before and after");
}

/// An agent that writes an image into a terminal that knows none, or never ends a title, must not fill the memory.
#[test]
fn an_endless_osc_is_kept_from_the_parser() {
    const PIECE: usize = 50_000;
    let piece = "é".repeat(PIECE / 2);
    for end in ["\x07", "\x1b\\", "\x18", "\x1b[m"] {
        let mut screen = screen(b"before \x1b]0;title\x07\x1b[31m");
        screen.feed(b"\x1b]0;").unwrap();
        for _ in 0..8 * 1024 * 1024 / PIECE {
            screen.feed(piece.as_bytes()).unwrap();
            screen.feed(b"\xc3").unwrap();
            assert!(screen.emulator.parsed <= unfinished::OSC_MAX + PIECE, "{} bytes", screen.emulator.parsed);
        }
        assert_eq!(screen.emulator.parsed, 0, "nothing is held of it");
        screen.feed(format!("{end}after").as_bytes()).unwrap();
        assert_eq!(screen.text().unwrap(), "before after", "{end:?}");
        assert_eq!(screen.title().as_deref(), Some("title"), "{end:?}");
        screen.feed(b"\x1b]0;another\x07").unwrap();
        assert_eq!(screen.title().as_deref(), Some("another"), "{end:?}");
    }
}

#[test]
fn a_long_osc_that_ends_in_time_is_taken_in() {
    let mut screen = screen(b"");
    let title = "t".repeat(unfinished::OSC_MAX - 100);
    screen.feed(format!("\x1b]0;{title}").as_bytes()).unwrap();
    screen.feed(b"\x07text").unwrap();
    assert_eq!((screen.title(), screen.text().unwrap()), (Some(title), "text".to_owned()));
}

#[test]
fn text_has_no_trailing_blanks() {
    assert_eq!(screen(b"a  \r\n\r\n \x1b[41m b \x1b[0m\r\n\r\n").text().unwrap(), "a\n\n  b");
}

/// Pieces that put a screen into every corner of its state, for streams made of them at random. Origin mode is left to
/// the table above, since a cursor that was restored to outside of its region cannot be painted.
const PIECES: &[&str] = &[
    "a",
    "word ",
    "\u{4f60}",
    "e\u{301}",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\x08",
    "0123456789",
    "\x1b[31m",
    "\x1b[44m",
    "\x1b[0m",
    "\x1b[7m",
    "\x1b[K",
    "\x1b[J",
    "\x1b[1J",
    "\x1b[2J",
    "\x1b[L",
    "\x1b[M",
    "\x1b[P",
    "\x1b[3@",
    "\x1b[X",
    "\x1b[H",
    "\x1b[3;7H",
    "\x1b[A",
    "\x1b[9C",
    "\x1b[2;4r",
    "\x1b[r",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b7",
    "\x1b8",
    "\x1bM",
    "\x1bD",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b(0",
    "\x1b(B",
    "\x1b[S",
    "\x1b[T",
    "\x1b[?25l",
    "\x1b[>1u",
    "\x1b[<u",
];

#[test]
fn a_redraw_of_random_output_gives_the_same_screen() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..2000 {
        let stream: String = (0..random(60)).map(|_| PIECES[random(PIECES.len())]).collect();
        let mut original = screen(stream.as_bytes());
        let mut copy = screen(&original.redraw().unwrap());
        assert_same(&mut original, &mut copy, &format!("{stream:?}"));
    }
}
