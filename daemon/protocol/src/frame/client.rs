//! What a client says to a shim.

use serde::{Deserialize, Serialize};

use super::codec::{decode_json, encode_json, encode_parts, encode_raw};
use super::{CAPABILITIES, Cue, FrameError, OLDEST_VERSION, RawFrame, TerminalSize, VERSION, kind};

/// What a client wants the connection for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Requests, their answers and cues; no output is sent.
    #[default]
    Control,
    /// A terminal: a redraw, then the output as it comes; brought up to date by a redraw when it falls behind.
    Attach,
    /// The bytes of the spool from an offset on, then the output as it comes; what is gone is a gap.
    Follow,
}

/// The first frame of a client. A shim answers it by `Welcome` or `Refused`; connecting changes nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The newest version that the client speaks.
    pub version: u32,
    /// The oldest version that the client still speaks.
    pub oldest_version: u32,
    /// Name and release of the client, for people.
    pub client: String,
    pub capabilities: Vec<String>,
    pub mode: Mode,
    /// The client only looks: its input is refused and it never owns the size.
    pub read_only: bool,
    /// `follow`: the offset to begin at; without it, the present end.
    pub since: Option<u64>,
    /// `follow`: hold the agent back, for a limited time, rather than lose a byte.
    pub lossless: bool,
    /// `attach`: the size of the client's terminal.
    pub size: Option<TerminalSize>,
}

impl Default for Hello {
    fn default() -> Self {
        Self {
            version: VERSION,
            oldest_version: OLDEST_VERSION,
            client: String::new(),
            capabilities: Vec::new(),
            mode: Mode::Control,
            read_only: false,
            since: None,
            lossless: false,
            size: None,
        }
    }
}

impl Hello {
    /// A greeting of this build.
    pub fn new(client: impl Into<String>, mode: Mode) -> Self {
        let capabilities = CAPABILITIES.iter().map(|c| (*c).to_owned()).collect();
        Self { client: client.into(), mode, capabilities, ..Self::default() }
    }
}

/// Ends the agent: SIGTERM, then SIGKILL after the grace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kill {
    /// Without it, what the launch record says.
    pub grace_ms: Option<u64>,
}

/// A frame from a client, borrowed from the bytes it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    Hello(Hello),
    /// Bytes typed, for the agent's terminal.
    Input(&'a [u8]),
    /// The client's terminal has this size now. Acts at once if the client owns the size.
    Resize(TerminalSize),
    /// From now on this client owns the size.
    TakeSize,
    Kill(Kill),
    Status,
    /// Asks for the visible screen as text.
    Screen,
    /// A farewell; closing the connection without it is just as harmless.
    Detach,
    /// Something that happened in the agent's program, told by a hook of its.
    Cue(Cue),
}

impl<'a> ClientFrame<'a> {
    /// The frame that `raw` is, `None` for a kind that this build does not know and must skip.
    pub fn decode(raw: &RawFrame<'a>) -> Result<Option<Self>, FrameError> {
        Ok(Some(match raw.kind {
            kind::HELLO => Self::Hello(decode_json(raw)?),
            kind::INPUT => Self::Input(raw.payload),
            kind::RESIZE => Self::Resize(decode_json(raw)?),
            kind::TAKE_SIZE => Self::TakeSize,
            kind::KILL => Self::Kill(decode_json(raw)?),
            kind::STATUS => Self::Status,
            kind::SCREEN => Self::Screen,
            kind::DETACH => Self::Detach,
            kind::CUE => Self::Cue(decode_json(raw)?),
            _ => return Ok(None),
        }))
    }

    /// Appends the frame to `out`. Input longer than one frame takes becomes several frames.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            Self::Hello(hello) => encode_json(kind::HELLO, hello, out),
            Self::Input(bytes) => {
                bytes.chunks(super::MAX_PAYLOAD).try_for_each(|chunk| encode_parts(kind::INPUT, &[chunk], out))
            }
            Self::Resize(size) => encode_json(kind::RESIZE, size, out),
            Self::TakeSize => encode_raw(kind::TAKE_SIZE, &[], out),
            Self::Kill(kill) => encode_json(kind::KILL, kill, out),
            Self::Status => encode_raw(kind::STATUS, &[], out),
            Self::Screen => encode_raw(kind::SCREEN, &[], out),
            Self::Detach => encode_raw(kind::DETACH, &[], out),
            Self::Cue(cue) => encode_json(kind::CUE, cue, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Doing;
    use crate::frame::{Decoder, MAX_PAYLOAD};

    #[test]
    fn every_frame_survives_the_round_trip() {
        let mut hello = Hello::new("pu 0.1.0", Mode::Follow);
        hello.since = Some(u64::MAX);
        hello.lossless = true;
        hello.size = Some(TerminalSize::new(80, 24));
        let frames = [
            ClientFrame::Hello(hello),
            ClientFrame::Input(b"\x1b[A\0\xff"),
            ClientFrame::Resize(TerminalSize::new(132, 43)),
            ClientFrame::TakeSize,
            ClientFrame::Kill(Kill { grace_ms: Some(250) }),
            ClientFrame::Status,
            ClientFrame::Screen,
            ClientFrame::Detach,
            ClientFrame::Cue(Cue { state: Some(Doing::Blocked), why: Some("y/n".into()), ..Cue::default() }),
        ];
        for frame in frames {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes).unwrap();
            let mut decoder = Decoder::new();
            decoder.feed(&bytes);
            let raw = decoder.next_frame().unwrap().unwrap();
            assert_eq!(ClientFrame::decode(&raw).unwrap(), Some(frame));
        }
    }

    #[test]
    fn what_a_peer_leaves_out_or_adds_does_no_harm() {
        for (payload, mode) in [
            (&b""[..], Mode::Control),
            (b"{}", Mode::Control),
            (br#"{"mode":"attach","a_field_of_next_year":[1,2]}"#, Mode::Attach),
        ] {
            let raw = RawFrame { kind: kind::HELLO, payload };
            match ClientFrame::decode(&raw).unwrap() {
                Some(ClientFrame::Hello(hello)) => assert_eq!((hello.mode, hello.version), (mode, VERSION)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_none_and_bad_json_an_error() {
        assert_eq!(ClientFrame::decode(&RawFrame { kind: 0x7e, payload: b"?" }).unwrap(), None);
        let bad = RawFrame { kind: kind::RESIZE, payload: b"{\"cols\":" };
        assert!(matches!(ClientFrame::decode(&bad), Err(FrameError::Json { kind: kind::RESIZE, .. })));
    }

    #[test]
    fn long_input_is_cut_into_frames() {
        let text = vec![b'x'; MAX_PAYLOAD * 2 + 1];
        let mut bytes = Vec::new();
        ClientFrame::Input(&text).encode(&mut bytes).unwrap();
        let mut decoder = Decoder::new();
        decoder.feed(&bytes);
        let mut lengths = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            lengths.push(frame.payload.len());
        }
        assert_eq!(lengths, [MAX_PAYLOAD, MAX_PAYLOAD, 1]);
    }
}
