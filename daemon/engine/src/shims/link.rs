//! The daemon's own connection to a shim: one task owns the socket, others talk to it by messages.
//!
//! A control connection: no output passes through it, and losing it costs the agent nothing.

use interprocess::local_socket::tokio::Stream as LocalStream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName as _};
use pu_protocol::frame::{
    ClientFrame, Cue, Decoder, ExitRecord, FrameError, Hello, Kill, MAX_PAYLOAD, Mode, ShimFrame, TerminalSize, Welcome,
};
use pu_protocol::{ErrorBody, ErrorCode};
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};

/// How long a shim may take to greet, and to acknowledge a request.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Requests that wait for the link's task.
const WAITING_MAX: usize = 64;
/// Events that wait for whoever follows the agent's life: the last word of each source comes with the greeting.
const EVENTS_MAX: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    #[error("cannot reach the agent's shim at {path}: {source}")]
    Unreachable { path: String, source: io::Error },
    #[error("the agent's shim closed the connection")]
    Closed,
    #[error("the agent's shim did not answer within {} s", ANSWER_LIMIT.as_secs())]
    TimedOut,
    #[error("the agent's shim refused: {message}")]
    Refused { message: String, hint: String },
    #[error("the agent's shim speaks gibberish: {0}")]
    Frame(#[from] FrameError),
}

impl ShimError {
    pub fn body(&self) -> ErrorBody {
        let body = ErrorBody::new(ErrorCode::AgentUnreachable, self.to_string());
        match self {
            Self::Refused { hint, .. } if !hint.is_empty() => body.with_hint(hint),
            _ => body.with_hint("`pu status` shows what is known of the agent"),
        }
    }
}

/// What the shim tells of its own accord.
#[derive(Debug)]
pub enum ShimEvent {
    /// The agent ended; its record is on disk, unless `record_error` says why not.
    Exited { exit: ExitRecord, record_error: Option<String> },
    /// What the agent is doing, as one source says.
    Cue(Cue),
    /// The connection is gone. Says nothing about the agent.
    Closed { reason: String },
}

/// Handle to the task that owns the connection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ShimLink {
    requests: mpsc::Sender<Pending>,
}

#[derive(Debug)]
struct Pending {
    /// The request's name, as the shim repeats it.
    name: &'static str,
    frame: Vec<u8>,
    answer: oneshot::Sender<Result<(), ShimError>>,
}

/// A shim that was greeted: the handle to it, what it said of itself, and what it will tell.
pub type Connection = (ShimLink, Welcome, mpsc::Receiver<ShimEvent>);

/// Connects to the shim that listens at `socket` and greets it.
pub async fn connect(socket: &Path) -> Result<Connection, ShimError> {
    let unreachable = |source| ShimError::Unreachable { path: socket.display().to_string(), source };
    let name = socket.to_fs_name::<GenericFilePath>().map_err(unreachable)?;
    let greeting = async {
        let stream = LocalStream::connect(name).await.map_err(unreachable)?;
        let mut task = LinkTask::new(stream);
        let mut hello = Vec::new();
        ClientFrame::Hello(Hello::new(concat!("pu-engine ", env!("CARGO_PKG_VERSION")), Mode::Control))
            .encode(&mut hello)?;
        (&task.stream).write_all(&hello).await.map_err(unreachable)?;
        let welcome = task.welcome().await?;
        Ok::<_, ShimError>((task, welcome))
    };
    let (task, welcome) = tokio::time::timeout(ANSWER_LIMIT, greeting).await.map_err(|_| ShimError::TimedOut)??;
    let (requests, waiting) = mpsc::channel(WAITING_MAX);
    let (events, heard) = mpsc::channel(EVENTS_MAX);
    tokio::spawn(task.run(waiting, events));
    Ok((ShimLink { requests }, welcome, heard))
}

impl ShimLink {
    /// Types bytes into the agent's terminal.
    pub async fn input(&self, bytes: &[u8]) -> Result<(), ShimError> {
        for chunk in bytes.chunks(MAX_PAYLOAD) {
            self.request("input", &ClientFrame::Input(chunk)).await?;
        }
        Ok(())
    }

    /// Gives the agent's terminal another size.
    pub async fn resize(&self, size: TerminalSize) -> Result<(), ShimError> {
        self.request("take_size", &ClientFrame::TakeSize).await?;
        self.request("resize", &ClientFrame::Resize(size)).await
    }

    /// Begins to end the agent; its end is an event.
    pub async fn kill(&self, grace_ms: Option<u64>) -> Result<(), ShimError> {
        self.request("kill", &ClientFrame::Kill(Kill { grace_ms })).await
    }

    async fn request(&self, name: &'static str, frame: &ClientFrame<'_>) -> Result<(), ShimError> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes)?;
        let (answer, answered) = oneshot::channel();
        let exchange = async {
            self.requests.send(Pending { name, frame: bytes, answer }).await.map_err(|_| ShimError::Closed)?;
            answered.await.map_err(|_| ShimError::Closed)?
        };
        tokio::time::timeout(ANSWER_LIMIT, exchange).await.map_err(|_| ShimError::TimedOut)?
    }
}

struct LinkTask {
    stream: LocalStream,
    decoder: Decoder,
    buffer: Box<[u8]>,
    /// Requests sent and not yet answered, oldest first; the shim answers in order.
    unanswered: VecDeque<(&'static str, oneshot::Sender<Result<(), ShimError>>)>,
}

impl LinkTask {
    fn new(stream: LocalStream) -> Self {
        Self { stream, decoder: Decoder::new(), buffer: vec![0; 4096].into_boxed_slice(), unanswered: VecDeque::new() }
    }

    async fn welcome(&mut self) -> Result<Welcome, ShimError> {
        loop {
            if let Some(raw) = self.decoder.next_frame()? {
                match ShimFrame::decode(&raw)? {
                    Some(ShimFrame::Welcome(welcome)) => return Ok(welcome),
                    Some(ShimFrame::Refused(r)) => return Err(ShimError::Refused { message: r.message, hint: r.hint }),
                    _ => continue,
                }
            }
            self.read().await?;
        }
    }

    /// Runs until the shim closes or the last handle is dropped.
    async fn run(mut self, mut waiting: mpsc::Receiver<Pending>, events: mpsc::Sender<ShimEvent>) {
        // What came in one piece with the greeting: it may be all that ever comes.
        let mut step = self.handle_frames(&events).await;
        let reason = loop {
            if let Err(error) = step {
                break error.to_string();
            }
            // Both arms are cancel-safe: `recv` and a bare `read` lose nothing when the other wins.
            step = tokio::select! {
                request = waiting.recv() => match request {
                    Some(request) => self.send(request).await,
                    None => return,
                },
                read = read(&self.stream, &mut self.buffer) => self.take(&read, &events).await,
            };
        };
        // Dropping `unanswered` tells those who wait that the link is closed.
        let _ = events.send(ShimEvent::Closed { reason }).await;
    }

    async fn send(&mut self, request: Pending) -> Result<(), ShimError> {
        self.unanswered.push_back((request.name, request.answer));
        (&self.stream).write_all(&request.frame).await.map_err(|_| ShimError::Closed)
    }

    async fn take(&mut self, read: &io::Result<usize>, events: &mpsc::Sender<ShimEvent>) -> Result<(), ShimError> {
        self.feed(read)?;
        self.handle_frames(events).await
    }

    /// Acts on every frame that has come whole.
    async fn handle_frames(&mut self, events: &mpsc::Sender<ShimEvent>) -> Result<(), ShimError> {
        while let Some(raw) = self.decoder.next_frame()? {
            match ShimFrame::decode(&raw)? {
                Some(ShimFrame::Exited(exited)) => {
                    let event = ShimEvent::Exited { exit: exited.exit, record_error: exited.record_error };
                    // Nobody listening means that the daemon forgot the agent.
                    let _ = events.send(event).await;
                }
                Some(ShimFrame::Cue(cue)) => {
                    let _ = events.send(ShimEvent::Cue(cue)).await;
                }
                Some(ShimFrame::Done(done)) => settle(&mut self.unanswered, &done.request, Ok(())),
                Some(ShimFrame::Refused(r)) => {
                    let refused = ShimError::Refused { message: r.message, hint: r.hint };
                    settle(&mut self.unanswered, &r.request, Err(refused));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), ShimError> {
        let read = read(&self.stream, &mut self.buffer).await;
        self.feed(&read)
    }

    fn feed(&mut self, read: &io::Result<usize>) -> Result<(), ShimError> {
        match read {
            Ok(0) | Err(_) => Err(ShimError::Closed),
            Ok(n) => {
                self.decoder.feed(&self.buffer[..*n]);
                Ok(())
            }
        }
    }
}

/// Cancel-safe: if it is dropped before it is done, nothing was read.
async fn read(mut stream: &LocalStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer).await
}

fn settle(
    unanswered: &mut VecDeque<(&'static str, oneshot::Sender<Result<(), ShimError>>)>,
    request: &str,
    result: Result<(), ShimError>,
) {
    let at = unanswered.iter().position(|(name, _)| *name == request);
    if let Some((_, answer)) = at.and_then(|at| unanswered.remove(at)) {
        // Whoever asked may have given up waiting.
        let _ = answer.send(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::frame::Exited;
    use std::io::{Read as _, Write as _};

    #[tokio::test]
    async fn an_exit_that_comes_with_the_greeting_is_heard_although_the_shim_closes() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let exit = ExitRecord { output_end: 7, ..ExitRecord::default() };
        let mut frames = Vec::new();
        ShimFrame::Welcome(Welcome { agent_id: "a1".into(), ..Welcome::default() }).encode(&mut frames).unwrap();
        ShimFrame::Exited(Exited { exit: exit.clone(), record_error: None }).encode(&mut frames).unwrap();
        let shim = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "a hello");
            stream.write_all(&frames).unwrap();
        });
        // Kept: a link whose last handle is dropped has nothing more to tell.
        let (_link, welcome, mut events) = connect(&socket).await.unwrap();
        assert_eq!(welcome.agent_id, "a1");
        match events.recv().await {
            Some(ShimEvent::Exited { exit: heard, record_error: None }) => assert_eq!(heard, exit),
            other => panic!("{other:?}"),
        }
        assert!(matches!(events.recv().await, Some(ShimEvent::Closed { .. })));
        shim.join().unwrap();
    }
}
