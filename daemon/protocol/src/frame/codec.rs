//! The framing itself: header, length limit, and a decoder that may be fed a byte at a time.

use super::{HEADER_LEN, MAX_PAYLOAD};

/// Why bytes are not frames. After one of these the connection has lost its place and can only be closed.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of kind {kind:#04x} announces {length} bytes, the limit is {MAX_PAYLOAD}")]
    TooLong { kind: u8, length: usize },
    #[error("a frame of kind {kind:#04x} has {length} bytes of payload, too few for what it must carry")]
    TooShort { kind: u8, length: usize },
    #[error("the JSON in a frame of kind {kind:#04x} cannot be read: {source}")]
    Json { kind: u8, source: serde_json::Error },
}

/// One frame, not yet interpreted; borrows the decoder's buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct RawFrame<'a> {
    pub kind: u8,
    pub payload: &'a [u8],
}

/// Appends one frame to `out`.
pub fn encode_raw(kind: u8, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    encode_parts(kind, &[payload], out)
}

/// Appends one frame whose payload is the `parts` in a row.
pub(super) fn encode_parts(kind: u8, parts: &[&[u8]], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    if length > MAX_PAYLOAD {
        return Err(FrameError::TooLong { kind, length });
    }
    out.reserve(HEADER_LEN + length);
    out.push(kind);
    // MAX_PAYLOAD is far below u32::MAX, so the cast loses nothing.
    out.extend_from_slice(&(length as u32).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// Appends one frame whose payload is `value` as JSON.
pub(super) fn encode_json<T: serde::Serialize>(kind: u8, value: &T, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let payload = serde_json::to_vec(value).map_err(|source| FrameError::Json { kind, source })?;
    encode_raw(kind, &payload, out)
}

/// Reads a JSON payload; an empty one stands for `{}`.
pub(super) fn decode_json<T: serde::de::DeserializeOwned>(frame: &RawFrame<'_>) -> Result<T, FrameError> {
    let payload = if frame.payload.is_empty() { b"{}" } else { frame.payload };
    serde_json::from_slice(payload).map_err(|source| FrameError::Json { kind: frame.kind, source })
}

/// Splits an offset from the head of a payload.
pub(super) fn split_offset<'a>(frame: &RawFrame<'a>) -> Result<(u64, &'a [u8]), FrameError> {
    match frame.payload.split_first_chunk::<8>() {
        Some((head, rest)) => Ok((u64::from_be_bytes(*head), rest)),
        None => Err(FrameError::TooShort { kind: frame.kind, length: frame.payload.len() }),
    }
}

/// Turns a byte stream into frames, however the stream is cut.
///
/// Invariant: `buffer[consumed..]` is the part of the stream that no frame has covered yet.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    consumed: usize,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in bytes as they came from the peer.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.consumed > 0 {
            self.buffer.drain(..self.consumed);
            self.consumed = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, `None` while more bytes are needed. The length is judged as soon as the header is there,
    /// so that a peer cannot make this side hold more than one frame.
    pub fn next_frame(&mut self) -> Result<Option<RawFrame<'_>>, FrameError> {
        let pending = &self.buffer[self.consumed..];
        let Some((header, rest)) = pending.split_first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let [kind, a, b, c, d] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > MAX_PAYLOAD {
            return Err(FrameError::TooLong { kind, length });
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.consumed + HEADER_LEN;
        self.consumed = start + length;
        Ok(Some(RawFrame { kind, payload: &self.buffer[start..start + length] }))
    }

    /// How many bytes wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.consumed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(stream: &[u8], cut: usize) -> Vec<(u8, Vec<u8>)> {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        for piece in [&stream[..cut], &stream[cut..]] {
            decoder.feed(piece);
            while let Some(frame) = decoder.next_frame().unwrap() {
                seen.push((frame.kind, frame.payload.to_vec()));
            }
        }
        assert_eq!(decoder.pending(), 0);
        seen
    }

    #[test]
    fn a_stream_cut_at_any_byte_gives_the_same_frames() {
        let expected = vec![(1, b"hello".to_vec()), (0x7f, Vec::new()), (2, vec![0; 300]), (0x85, b"{}".to_vec())];
        let mut stream = Vec::new();
        for (kind, payload) in &expected {
            encode_raw(*kind, payload, &mut stream).unwrap();
        }
        for cut in 0..=stream.len() {
            assert_eq!(frames(&stream, cut), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_fed_byte_by_byte_gives_the_same_frames() {
        let mut stream = Vec::new();
        encode_raw(3, b"abc", &mut stream).unwrap();
        encode_raw(4, b"", &mut stream).unwrap();
        let mut decoder = Decoder::new();
        let mut kinds = Vec::new();
        for byte in stream {
            decoder.feed(&[byte]);
            while let Some(frame) = decoder.next_frame().unwrap() {
                kinds.push(frame.kind);
            }
        }
        assert_eq!(kinds, [3, 4]);
    }

    #[test]
    fn the_longest_payload_passes_and_one_more_does_not() {
        let mut out = Vec::new();
        encode_raw(9, &vec![7; MAX_PAYLOAD], &mut out).unwrap();
        let mut decoder = Decoder::new();
        decoder.feed(&out);
        assert_eq!(decoder.next_frame().unwrap().unwrap().payload.len(), MAX_PAYLOAD);

        assert!(matches!(encode_raw(9, &vec![7; MAX_PAYLOAD + 1], &mut out), Err(FrameError::TooLong { .. })));
        let mut header = vec![9];
        header.extend_from_slice(&(MAX_PAYLOAD as u32 + 1).to_be_bytes());
        let mut decoder = Decoder::new();
        decoder.feed(&header);
        assert!(matches!(decoder.next_frame(), Err(FrameError::TooLong { kind: 9, .. })));
    }
}
