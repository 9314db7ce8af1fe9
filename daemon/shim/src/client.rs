//! One connection: its socket, what it has sent, what is queued for it. It knows nothing of the agent.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use interprocess::os::unix::uds_local_socket::Stream;
use pu_protocol::frame::{Decoder, Hello, Mode, ShimFrame};

use crate::delivery::{Delivery, QUEUE_FULL};
use crate::lease::ClientId;
use crate::queue::ByteQueue;

/// Requests are small; only a client that types a lot fills this.
const READ_SIZE: usize = 16 * 1024;
/// A client with so much in its queue is not listened to until it reads. Output in its queue stops short of this, so
/// that a terminal which is slow to show it can still type.
const ANSWERS_FULL: usize = 2 * QUEUE_FULL;

/// What a client that has introduced itself wants and has got.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) delivery: Delivery,
    pub(crate) read_only: bool,
    /// The last frame is queued.
    pub(crate) told_exit: bool,
}

impl Session {
    pub(crate) fn new(hello: &Hello, cursor: u64) -> Self {
        let delivery = Delivery::new(hello.mode, cursor, hello.lossless);
        Self { delivery, read_only: hello.read_only, told_exit: false }
    }

    /// A terminal in which somebody may type: it answers queries, and may hold the size.
    pub(crate) fn is_terminal(&self) -> bool {
        self.delivery.mode == Mode::Attach && !self.read_only
    }
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    /// To be closed as soon as the queue is empty.
    Ending,
    Closed,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: ClientId,
    stream: Stream,
    pub(crate) decoder: Decoder,
    pub(crate) outbox: ByteQueue,
    /// Requests may wait in the decoder, because their answers had no room.
    pub(crate) has_backlog: bool,
    /// None until its `Hello`.
    pub(crate) session: Option<Session>,
    pub(crate) standing: Standing,
}

impl Client {
    pub(crate) fn new(id: ClientId, stream: Stream) -> Self {
        let (decoder, outbox) = (Decoder::new(), ByteQueue::default());
        Self { id, stream, decoder, outbox, has_backlog: false, session: None, standing: Standing::Open }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether it may ask for more: it reads what it is told.
    pub(crate) fn takes_requests(&self) -> bool {
        self.standing == Standing::Open && self.outbox.len() < ANSWERS_FULL
    }

    /// Takes in what has come.
    pub(crate) fn read(&mut self) {
        let mut buffer = [0; READ_SIZE];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.standing = Standing::Closed,
            Ok(n) => self.decoder.feed(&buffer[..n]),
            Err(error) if is_transient(&error) => {}
            Err(_) => self.standing = Standing::Closed,
        }
    }

    /// Sends what the socket takes now.
    pub(crate) fn flush(&mut self) {
        let sent = self.outbox.drain_into(|bytes| self.stream.write(bytes));
        let farewell_sent = self.standing == Standing::Ending && self.outbox.is_empty();
        if sent.is_err() || farewell_sent {
            self.standing = Standing::Closed;
        }
    }

    /// Queues one frame.
    pub(crate) fn send(&mut self, frame: &ShimFrame<'_>) {
        // Only a frame that is too long cannot be encoded; a peer that waits for it is better told by a closed line.
        if frame.encode(self.outbox.tail()).is_err() {
            self.standing = Standing::Ending;
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
