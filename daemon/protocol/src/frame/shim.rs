//! What a shim says to a client.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codec::{decode_json, encode_json, encode_parts, split_offset};
use super::{Cue, FrameError, HEADER_LEN, MAX_PAYLOAD, RawFrame, TerminalSize, kind};

/// The answer to `Hello`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Welcome {
    /// The version that both sides speak from here on.
    pub version: u32,
    pub capabilities: Vec<String>,
    pub agent_id: String,
    pub shim_pid: i32,
    pub child_pid: i32,
    /// The program file that the shim runs, which an upgrade may have replaced since.
    pub binary: PathBuf,
    /// The oldest offset that the spool still holds.
    pub output_start: u64,
    /// The offset behind the newest byte.
    pub output_end: u64,
    pub size: TerminalSize,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExitStatus {
    Exited {
        code: i32,
    },
    Signaled {
        signal: i32,
        /// The signal's name, such as `SIGTERM`.
        #[serde(default)]
        name: String,
    },
    /// The process is gone and nobody saw how. Never used for a lost connection.
    Unknown {
        #[serde(default)]
        reason: String,
    },
}

impl Default for ExitStatus {
    fn default() -> Self {
        Self::Unknown { reason: String::new() }
    }
}

/// How an agent ended: the content of `exit.json`, and what the shim tells its clients.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitRecord {
    pub version: u32,
    pub how: ExitStatus,
    /// RFC 3339.
    pub ended_at: String,
    /// The offset behind the last byte of output.
    pub output_end: u64,
    /// Whether somebody had asked for the end.
    pub kill_requested: bool,
    /// Processes that the agent started and that went on running.
    pub left_running: Vec<i32>,
    /// What a newer release wrote and this one does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The agent has ended; the last frame before the shim closes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exited {
    pub exit: ExitRecord,
    /// Why `exit.json` could not be written, if it could not: then this frame is the only record.
    pub record_error: Option<String>,
}

/// A request was carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// The name of the request: `input`, `resize`, `take_size`, `kill`.
    pub request: String,
}

/// A request was not carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refused {
    /// The name of the request, as in [`Done`]; `hello` if the connection itself is refused.
    pub request: String,
    /// A stable code for programs.
    pub code: String,
    pub message: String,
    pub hint: String,
}

/// The visible screen as text, a line a row, without trailing blanks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenText {
    /// The screen shows the output up to this offset.
    pub offset: u64,
    pub text: String,
    pub size: TerminalSize,
    pub title: Option<String>,
}

/// What a shim has to say about itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShimStatus {
    pub output_start: u64,
    pub output_end: u64,
    pub size: TerminalSize,
    /// Connected clients of all modes.
    pub clients: u32,
    /// Those of them that are terminals which may type.
    pub attached: u32,
    pub kill_requested: bool,
    /// Why output is being lost at this moment (a full disk), if it is.
    pub spool_error: Option<String>,
    /// Set once the agent has ended.
    pub exit: Option<ExitRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Gap {
    from: u64,
    to: u64,
}

/// A frame from a shim, borrowed from the bytes it came in.
#[derive(Debug, Clone, PartialEq)]
pub enum ShimFrame<'a> {
    Welcome(Welcome),
    /// Output of the agent, beginning at `offset`.
    Output {
        offset: u64,
        bytes: &'a [u8],
    },
    /// Bytes that paint the screen as it is at `offset`; a long one comes as several frames of the same offset.
    Redraw {
        offset: u64,
        bytes: &'a [u8],
    },
    /// The bytes from `from` up to `to` are gone.
    Gap {
        from: u64,
        to: u64,
    },
    Exited(Exited),
    Done(Done),
    Refused(Refused),
    ScreenText(ScreenText),
    /// The agent's screen has this size now.
    Size(TerminalSize),
    Status(ShimStatus),
    /// What a source says of the agent: the last words at the start of a control connection, then each new one.
    Cue(Cue),
}

impl<'a> ShimFrame<'a> {
    /// The frame that `raw` is, `None` for a kind that this build does not know and must skip.
    pub fn decode(raw: &RawFrame<'a>) -> Result<Option<Self>, FrameError> {
        Ok(Some(match raw.kind {
            kind::WELCOME => Self::Welcome(decode_json(raw)?),
            kind::OUTPUT => {
                let (offset, bytes) = split_offset(raw)?;
                Self::Output { offset, bytes }
            }
            kind::REDRAW => {
                let (offset, bytes) = split_offset(raw)?;
                Self::Redraw { offset, bytes }
            }
            kind::GAP => {
                let Gap { from, to } = decode_json(raw)?;
                Self::Gap { from, to }
            }
            kind::EXITED => Self::Exited(decode_json(raw)?),
            kind::DONE => Self::Done(decode_json(raw)?),
            kind::REFUSED => Self::Refused(decode_json(raw)?),
            kind::SCREEN_TEXT => Self::ScreenText(decode_json(raw)?),
            kind::SIZE => Self::Size(decode_json(raw)?),
            kind::STATUS_REPORT => Self::Status(decode_json(raw)?),
            kind::CUE_HEARD => Self::Cue(decode_json(raw)?),
            _ => return Ok(None),
        }))
    }

    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            Self::Welcome(welcome) => encode_json(kind::WELCOME, welcome, out),
            Self::Output { offset, bytes } => encode_output(*offset, bytes, out),
            Self::Redraw { offset, bytes } => encode_redraw(*offset, bytes, out),
            Self::Gap { from, to } => encode_json(kind::GAP, &Gap { from: *from, to: *to }, out),
            Self::Exited(exited) => encode_json(kind::EXITED, exited, out),
            Self::Done(done) => encode_json(kind::DONE, done, out),
            Self::Refused(refused) => encode_json(kind::REFUSED, refused, out),
            Self::ScreenText(text) => encode_json(kind::SCREEN_TEXT, text, out),
            Self::Size(size) => encode_json(kind::SIZE, size, out),
            Self::Status(status) => encode_json(kind::STATUS_REPORT, status, out),
            Self::Cue(cue) => encode_json(kind::CUE_HEARD, cue, out),
        }
    }
}

/// Bytes of output that fit one frame beside their offset.
const BULK: usize = MAX_PAYLOAD - 8;

/// Appends `bytes` of output as one or more frames, each with its own offset. Allocates nothing if `out` has room.
pub fn encode_output(offset: u64, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    out.reserve(bytes.len() + HEADER_LEN + 8);
    let mut at = offset;
    for chunk in bytes.chunks(BULK) {
        encode_parts(kind::OUTPUT, &[&at.to_be_bytes(), chunk], out)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

/// Appends a redraw as one or more frames of the same offset.
pub fn encode_redraw(offset: u64, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    if bytes.is_empty() {
        return encode_parts(kind::REDRAW, &[&offset.to_be_bytes()], out);
    }
    bytes.chunks(BULK).try_for_each(|chunk| encode_parts(kind::REDRAW, &[&offset.to_be_bytes(), chunk], out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Decoder;

    fn round_trip(frame: &ShimFrame<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        let mut decoder = Decoder::new();
        decoder.feed(&bytes);
        let raw = decoder.next_frame().unwrap().unwrap();
        assert_eq!(ShimFrame::decode(&raw).unwrap().as_ref(), Some(frame));
        assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn every_frame_survives_the_round_trip() {
        let exit = ExitRecord {
            how: ExitStatus::Signaled { signal: 9, name: "SIGKILL".into() },
            output_end: 77,
            left_running: vec![4, 5],
            ..ExitRecord::default()
        };
        for frame in [
            ShimFrame::Welcome(Welcome { agent_id: "a1".into(), child_pid: 7, ..Welcome::default() }),
            ShimFrame::Output { offset: 3, bytes: b"\0\x1b\xff" },
            ShimFrame::Redraw { offset: u64::MAX, bytes: b"" },
            ShimFrame::Gap { from: 1, to: 9 },
            ShimFrame::Exited(Exited { exit: exit.clone(), record_error: Some("full".into()) }),
            ShimFrame::Done(Done { request: "kill".into() }),
            ShimFrame::Refused(Refused { code: "busy".into(), ..Refused::default() }),
            ShimFrame::ScreenText(ScreenText { text: "a\nb".into(), ..ScreenText::default() }),
            ShimFrame::Size(TerminalSize::new(10, 4)),
            ShimFrame::Cue(Cue { rule: "osc".into(), fleeting: true, ..Cue::default() }),
            ShimFrame::Status(ShimStatus { clients: 2, exit: Some(exit), ..ShimStatus::default() }),
        ] {
            round_trip(&frame);
        }
    }

    #[test]
    fn the_exit_record_keeps_its_shape_and_foreign_fields() {
        let text = r#"{"version":1,"how":{"kind":"exited","code":3},"ended_at":"2026-01-01T00:00:00Z","output_end":5,
            "kill_requested":false,"left_running":[],"of_next_year":{"x":1}}"#;
        let record: ExitRecord = serde_json::from_str(text).unwrap();
        assert_eq!(record.how, ExitStatus::Exited { code: 3 });
        let back: Value = serde_json::to_value(&record).unwrap();
        assert_eq!(back, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn long_output_is_cut_and_every_piece_knows_its_offset() {
        let bytes: Vec<u8> = (0..MAX_PAYLOAD + 100).map(|i| i as u8).collect();
        let mut out = Vec::new();
        encode_output(1000, &bytes, &mut out).unwrap();
        let mut decoder = Decoder::new();
        decoder.feed(&out);
        let mut seen = Vec::new();
        while let Some(raw) = decoder.next_frame().unwrap() {
            match ShimFrame::decode(&raw).unwrap() {
                Some(ShimFrame::Output { offset, bytes }) => {
                    assert_eq!(offset, 1000 + seen.len() as u64);
                    seen.extend_from_slice(bytes);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(seen, bytes);
    }

    #[test]
    fn an_offset_cut_short_is_an_error() {
        let raw = RawFrame { kind: kind::OUTPUT, payload: b"1234567" };
        assert!(matches!(ShimFrame::decode(&raw), Err(FrameError::TooShort { length: 7, .. })));
    }
}
