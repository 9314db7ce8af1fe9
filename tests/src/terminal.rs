//! A person's terminal: a program in a PTY that is typed into and read from.

use crate::wait::{LIMIT, wait_until};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<Mutex<Vec<u8>>>,
    /// Reads until the terminal is closed, which is when nobody has it any more.
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Opens a terminal of 100×30 and runs a program in it.
    pub fn open(
        program: &Path,
        args: &[&str],
        environment: Vec<(&'static str, std::ffi::OsString)>,
        cwd: &Path,
    ) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a PTY");
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        command.args(args);
        command.cwd(cwd);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let reader = std::thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut piece) {
                sink.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { child, master: pair.master, keyboard, seen, reader: Some(reader) }
    }

    pub fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keyboard.flush().expect("the terminal takes keys");
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a new size");
    }

    /// Everything that the program has written.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until the program has written this text.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        let shown = || {
            let seen = self.seen();
            seen.contains(text).then_some(seen)
        };
        let deadline = std::time::Instant::now() + LIMIT;
        loop {
            if let Some(seen) = shown() {
                return seen;
            }
            assert!(std::time::Instant::now() < deadline, "{text:?} is not in {:?}", self.seen());
            crate::wait::pause(std::time::Duration::from_millis(5));
        }
    }

    /// The line discipline's settings, for comparison.
    pub fn settings(&self) -> String {
        format!("{:?}", self.master.get_termios().expect("a terminal has settings"))
    }

    /// Waits until the program has ended and all that it has written is [`seen`](Self::seen).
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let status = wait_until("the program in the terminal ends", || self.child.try_wait().expect("its status"));
        if let Some(reader) = self.reader.take() {
            wait_until("all that was written is read", || reader.is_finished().then_some(()));
            reader.join().expect("the reader");
        }
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
