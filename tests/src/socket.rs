//! A raw connection to a daemon, as a program in any language would make one.

use crate::wait::LIMIT;
use interprocess::local_socket::traits::Stream as _;
use interprocess::local_socket::{GenericFilePath, Stream, ToFsName as _};
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

pub struct Client {
    stream: BufReader<Stream>,
}

impl Client {
    #[track_caller]
    pub fn connect(socket: &Path) -> Self {
        Self::try_connect(socket).unwrap_or_else(|e| panic!("cannot connect to {}: {e}", socket.display()))
    }

    pub fn try_connect(socket: &Path) -> io::Result<Self> {
        let stream = Stream::connect(socket.to_fs_name::<GenericFilePath>()?)?;
        stream.set_recv_timeout(Some(LIMIT))?;
        stream.set_send_timeout(Some(LIMIT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the daemon reads");
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends a value as a line.
    #[track_caller]
    pub fn send_line(&mut self, value: &Value) {
        self.send(format!("{value}\n"));
    }

    /// The next line; `None` when the daemon has closed the connection.
    #[track_caller]
    pub fn receive(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap_or_else(|e| panic!("no answer ({e}), but for {line:?}"));
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}")))
    }

    #[track_caller]
    pub fn answer(&mut self) -> Value {
        self.receive().expect("the connection is open")
    }

    /// Sends a request and takes the next line for its answer.
    #[track_caller]
    pub fn ask(&mut self, request: &Value) -> Value {
        self.send_line(request);
        self.answer()
    }

    /// Passes over lines until one is what is looked for.
    #[track_caller]
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.receive() {
                Some(line) if wanted(&line) => return line,
                Some(_) => {}
                None => panic!("the connection was closed before {what}"),
            }
        }
    }
}
