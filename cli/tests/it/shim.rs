//! A shim that the tests play: it greets, says what it is told to say, and keeps what it hears.

use crate::world::{LIMIT, listen};
use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::ListenerExt as _;
use pu_protocol::frame::{ClientFrame, Decoder, Hello, ShimFrame, TerminalSize, Welcome};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

/// What came from clients.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Hello(Box<Hello>),
    Input(Vec<u8>),
    Resize(TerminalSize),
    TakeSize,
    Detach,
    Closed,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    came: Condvar,
    /// The connection that greeted last.
    current: Mutex<Option<Arc<Stream>>>,
}

pub(crate) struct Shim {
    shared: Arc<Shared>,
}

impl Shim {
    /// Listens; every client that greets is welcomed and sent `greeting`.
    pub(crate) fn listen(socket: &Path, greeting: Vec<u8>) -> Self {
        let listener = listen(socket);
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, greeting) = (Arc::clone(&theirs), greeting.clone());
                std::thread::spawn(move || serve(stream, &shared, &greeting));
            }
        });
        Self { shared }
    }

    pub(crate) fn send(&self, frame: &ShimFrame<'_>) {
        let stream = self.shared.current.lock().unwrap().clone().expect("a client greeted");
        (&*stream).write_all(&encoded(frame)).unwrap();
    }

    /// Breaks the connection that greeted last.
    pub(crate) fn hang_up(&self) {
        use std::os::fd::AsFd;
        let stream = self.shared.current.lock().unwrap().take().expect("a client greeted");
        let Stream::UdSocket(socket) = &*stream;
        let socket = std::os::unix::net::UnixStream::from(socket.as_fd().try_clone_to_owned().unwrap());
        socket.shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Waits until what was heard fulfils a condition, and gives all of it.
    pub(crate) fn wait_until(&self, what: &str, fulfilled: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        let heard = self.shared.heard.lock().unwrap();
        let (heard, timeout) = self.shared.came.wait_timeout_while(heard, LIMIT, |all| !fulfilled(all)).unwrap();
        assert!(!timeout.timed_out(), "waited in vain: {what}; heard {heard:?}");
        heard.clone()
    }

    /// All that was typed, in order, over all connections.
    pub(crate) fn input(heard: &[Heard]) -> Vec<u8> {
        let typed = heard.iter().filter_map(|h| if let Heard::Input(bytes) = h { Some(bytes.clone()) } else { None });
        typed.flatten().collect()
    }

    pub(crate) fn greetings(heard: &[Heard]) -> usize {
        heard.iter().filter(|h| matches!(h, Heard::Hello(_))).count()
    }
}

pub(crate) fn encoded(frame: &ShimFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

fn serve(stream: Stream, shared: &Shared, greeting: &[u8]) {
    let stream = Arc::new(stream);
    let mut decoder = Decoder::new();
    let mut buffer = [0; 4096];
    loop {
        let read = (&*stream).read(&mut buffer).unwrap_or(0);
        if read == 0 {
            return note(shared, Heard::Closed);
        }
        decoder.feed(&buffer[..read]);
        while let Some(raw) = decoder.next_frame().unwrap() {
            let heard = match ClientFrame::decode(&raw).unwrap() {
                Some(ClientFrame::Hello(hello)) => {
                    (&*stream).write_all(&encoded(&ShimFrame::Welcome(Welcome::default()))).unwrap();
                    (&*stream).write_all(greeting).unwrap();
                    *shared.current.lock().unwrap() = Some(Arc::clone(&stream));
                    Heard::Hello(Box::new(hello))
                }
                Some(ClientFrame::Input(bytes)) => Heard::Input(bytes.to_vec()),
                Some(ClientFrame::Resize(size)) => Heard::Resize(size),
                Some(ClientFrame::TakeSize) => Heard::TakeSize,
                Some(ClientFrame::Detach) => Heard::Detach,
                other => panic!("not expected: {other:?}"),
            };
            note(shared, heard);
        }
    }
}

fn note(shared: &Shared, heard: Heard) {
    shared.heard.lock().unwrap().push(heard);
    shared.came.notify_all();
}
