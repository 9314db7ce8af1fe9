//! The shim protocol: what a shim and those connected to it say to each other.
//!
//! A frame is one byte of kind, four bytes of big-endian length and that many bytes of payload. Bulk data (input,
//! output, redraws) is raw bytes; everything that may grow is JSON in which every field has a default. A kind that a
//! side does not know is skipped, so that an older shim and a newer client still talk.
//!
//! A pure codec. It reads and writes no socket, keeps no connection state and decides nothing.

mod client;
mod codec;
mod cue;
mod shim;
mod terminal;

pub use client::{ClientFrame, Hello, Kill, Mode};
pub use codec::{Decoder, FrameError, RawFrame, encode_raw};
pub use cue::Cue;
pub use shim::{
    Done, ExitRecord, ExitStatus, Exited, Refused, ScreenText, ShimFrame, ShimStatus, Welcome, encode_output,
    encode_redraw,
};
pub use terminal::TerminalSize;

/// The version of the frames that this build speaks.
pub const VERSION: u32 = 1;

/// The oldest version that this build still understands.
pub const OLDEST_VERSION: u32 = 1;

/// What this build can do beyond the bare version; a peer looks here before it relies on something newer.
pub const CAPABILITIES: &[&str] = &["redraw", "follow", "lossless", "screen_text", "size_lease", "status", "cues"];

/// The length of a frame's header: kind and length.
pub const HEADER_LEN: usize = 5;

/// The longest payload of one frame. What is longer is cut into several frames by the sender.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// The kinds of frames. Client kinds are below 0x80, shim kinds from 0x80; numbers are never used again.
pub mod kind {
    pub const HELLO: u8 = 0x01;
    pub const INPUT: u8 = 0x02;
    pub const RESIZE: u8 = 0x03;
    pub const TAKE_SIZE: u8 = 0x04;
    pub const KILL: u8 = 0x05;
    pub const STATUS: u8 = 0x06;
    pub const SCREEN: u8 = 0x07;
    pub const DETACH: u8 = 0x08;
    pub const CUE: u8 = 0x10;

    pub const WELCOME: u8 = 0x81;
    pub const OUTPUT: u8 = 0x82;
    pub const REDRAW: u8 = 0x83;
    pub const GAP: u8 = 0x84;
    pub const EXITED: u8 = 0x85;
    pub const DONE: u8 = 0x86;
    pub const REFUSED: u8 = 0x87;
    pub const SCREEN_TEXT: u8 = 0x88;
    pub const SIZE: u8 = 0x89;
    pub const STATUS_REPORT: u8 = 0x8a;
    pub const CUE_HEARD: u8 = 0x90;
}
