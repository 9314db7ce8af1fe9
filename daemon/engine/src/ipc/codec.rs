//! Where a line begins and ends on the wire.
//!
//! Never splits an over-long line into two requests: it is skipped to its end and reported once.

use pu_protocol::LINE_MAX;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder};

/// One line as it came, without its newline; or the news that one was too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Complete(Bytes),
    TooLong,
}

/// Newline-delimited lines with a bound. An over-long line is an item, not an error: `FramedRead` would end the stream
/// at an error, and the connection is to live on.
pub(super) struct LineDecoder {
    inner: AnyDelimiterCodec,
}

impl LineDecoder {
    pub(super) fn new() -> Self {
        Self { inner: AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), LINE_MAX) }
    }

    fn settle(found: Result<Option<Bytes>, AnyDelimiterCodecError>) -> Result<Option<Line>, std::io::Error> {
        match found {
            Ok(line) => Ok(line.map(Line::Complete)),
            Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => Ok(Some(Line::TooLong)),
            Err(AnyDelimiterCodecError::Io(e)) => Err(e),
        }
    }
}

impl Decoder for LineDecoder {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        Self::settle(self.inner.decode(src))
    }

    /// A last line without a newline counts: a request that was cut off is not complete JSON and fails there.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        Self::settle(self.inner.decode_eof(src))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], step: usize) -> Vec<Line> {
        let mut decoder = LineDecoder::new();
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for piece in input.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(line) = decoder.decode(&mut buffer).unwrap() {
                found.push(line);
            }
        }
        while let Some(line) = decoder.decode_eof(&mut buffer).unwrap() {
            found.push(line);
        }
        found
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let input = b"{\"type\":\"health\"}\n\xff\xfe\n\nlast";
        for step in 1..=input.len() {
            let expected: [&[u8]; 4] = [b"{\"type\":\"health\"}", b"\xff\xfe", b"", b"last"];
            let expected: Vec<Line> = expected.iter().map(|l| Line::Complete(Bytes::copy_from_slice(l))).collect();
            assert_eq!(lines(input, step), expected, "step {step}");
        }
    }

    #[test]
    fn an_over_long_line_is_one_error_and_the_next_line_is_whole() {
        let mut input = vec![b'x'; 2 * LINE_MAX];
        input.extend_from_slice(b"\nok\n");
        for step in [1000, 65_536, input.len()] {
            assert_eq!(lines(&input, step), [Line::TooLong, Line::Complete(Bytes::from_static(b"ok"))], "step {step}");
        }
    }
}
