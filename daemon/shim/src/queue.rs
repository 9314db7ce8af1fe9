//! A queue of bytes on their way out: filled in pieces, emptied as far as the other side takes them.

use std::io;

/// Memory above this is given back when the queue runs empty.
const KEEP: usize = 16 * 1024;

/// Invariant: `buffer[head..]` is what still has to go out.
#[derive(Debug, Default)]
pub(crate) struct ByteQueue {
    buffer: Vec<u8>,
    head: usize,
}

impl ByteQueue {
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.head
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a new piece is appended.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        if self.head > 0 && self.head >= self.buffer.len() / 2 {
            self.buffer.drain(..self.head);
            self.head = 0;
        }
        &mut self.buffer
    }

    /// Hands bytes to `write` until all are gone or it takes none: `WouldBlock` and 0 mean not now.
    pub(crate) fn drain_into(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        while !self.is_empty() {
            match write(&self.buffer[self.head..]) {
                Ok(0) => return Ok(()),
                Ok(written) => self.head += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clear();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEEP);
        self.head = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_order_however_few_are_taken() {
        let mut queue = ByteQueue::default();
        let mut seen = Vec::new();
        for round in 0..50_u8 {
            queue.tail().extend_from_slice(&[round; 7]);
            let mut budget = usize::from(round % 11);
            queue
                .drain_into(|bytes| {
                    let taken = bytes.len().min(3).min(budget);
                    budget -= taken;
                    seen.extend_from_slice(&bytes[..taken]);
                    if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
                })
                .unwrap();
        }
        queue
            .drain_into(|bytes| {
                seen.extend_from_slice(bytes);
                Ok(bytes.len())
            })
            .unwrap();
        let expected: Vec<u8> = (0..50_u8).flat_map(|round| [round; 7]).collect();
        assert_eq!(seen, expected);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_real_error_is_passed_on_and_nothing_is_lost() {
        let mut queue = ByteQueue::default();
        queue.tail().extend_from_slice(b"abc");
        assert!(queue.drain_into(|_| Err(io::ErrorKind::BrokenPipe.into())).is_err());
        assert_eq!(queue.len(), 3);
    }
}
