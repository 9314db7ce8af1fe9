//! A hermetic agent: its own folder, its own environment, ended with the test whatever happens.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus as ProcessStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use pu_protocol::frame::{
    ClientFrame, Decoder, ExitRecord, Exited, Hello, Mode, RawFrame, ScreenText, ShimFrame, TerminalSize, Welcome, kind,
};
use pu_protocol::layout::AgentLayout;
use pu_record::launch::LaunchRecord;
use pu_record::process::ProcessIdentity;
use pu_record::shim::{ShimRecord, StartFailure, StartReport};
use pu_record::spool::SpoolReader;
use tempfile::TempDir;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `found` gives something.
pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Runs the command that follows it in a session of its own; macOS has no program for that.
pub(crate) const SETSID: &str =
    if cfg!(target_os = "macos") { "perl -MPOSIX -e 'POSIX::setsid(); exec @ARGV'" } else { "setsid" };

/// What is to be started.
pub(crate) struct Launch {
    pub(crate) folder: TempDir,
    pub(crate) record: LaunchRecord,
    pub(crate) env: Vec<(String, String)>,
}

/// An agent that runs a script in `sh`.
pub(crate) fn script(text: &str) -> Launch {
    command(&["sh", "-c", text])
}

pub(crate) fn command(argv: &[&str]) -> Launch {
    // Not $TMPDIR, which may be too long for a socket.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let record = LaunchRecord {
        agent_id: "a-test".into(),
        cwd: folder.path().to_owned(),
        argv: argv.iter().map(|a| (*a).to_owned()).collect(),
        size: TerminalSize::new(80, 24),
        kill_grace_ms: 10_000,
        ..LaunchRecord::default()
    };
    let path = std::env::var("PATH").unwrap();
    Launch { folder, record, env: vec![("PATH".into(), path), ("MARK".into(), "of the test".into())] }
}

impl Launch {
    pub(crate) fn layout(&self) -> AgentLayout {
        AgentLayout::new(self.folder.path())
    }

    fn spawn(&self) -> (Child, StartReport) {
        self.record.write(&self.layout().launch()).unwrap();
        let mut shim = Command::new(env!("CARGO_BIN_EXE_pu-shim"))
            .arg("--dir")
            .arg(self.folder.path())
            .env_clear()
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(shim.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let report = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        assert_eq!(stdout.read_line(&mut line).unwrap(), 0, "one line, then the end");
        (shim, report)
    }

    pub(crate) fn start(self) -> Agent {
        match self.spawn() {
            (shim, StartReport::Ready(record)) => Agent { launch: self, shim, record: *record },
            (_, StartReport::Failed(failure)) => panic!("{failure:?}"),
        }
    }

    /// A start that must fail, and what it says.
    pub(crate) fn start_in_vain(&self) -> StartFailure {
        match self.spawn() {
            (mut shim, StartReport::Failed(failure)) => {
                assert!(!shim.wait().unwrap().success());
                failure
            }
            (mut shim, StartReport::Ready(record)) => {
                let _ = killpg(Pid::from_raw(record.child.pid), Signal::SIGKILL);
                let _ = shim.wait();
                panic!("it started")
            }
        }
    }
}

pub(crate) struct Agent {
    pub(crate) launch: Launch,
    pub(crate) record: ShimRecord,
    shim: Child,
}

impl Agent {
    pub(crate) fn layout(&self) -> AgentLayout {
        self.launch.layout()
    }

    pub(crate) fn connect(&self, hello: Hello) -> Client {
        let mut client = self.dial();
        client.send(&ClientFrame::Hello(hello));
        client
    }

    pub(crate) fn dial(&self) -> Client {
        let stream = UnixStream::connect(&self.record.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream, decoder: Decoder::new(), greeting: None }
    }

    pub(crate) fn control(&self) -> Client {
        let mut client = self.connect(Hello::new("test", Mode::Control));
        client.welcome();
        client
    }

    pub(crate) fn attach(&self, size: TerminalSize) -> Client {
        let mut client = self.connect(Hello { size: Some(size), ..Hello::new("test", Mode::Attach) });
        client.welcome();
        client
    }

    pub(crate) fn follow(&self, since: u64) -> Client {
        let mut client = self.connect(Hello { since: Some(since), ..Hello::new("test", Mode::Follow) });
        client.welcome();
        client
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.record.shim.pid), signal).unwrap();
    }

    /// All output that is kept.
    pub(crate) fn output(&self) -> Vec<u8> {
        SpoolReader::new(self.layout().output()).tail(u64::MAX).unwrap().bytes
    }

    pub(crate) fn output_text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    pub(crate) fn wait_for_output(&self, text: &str) {
        wait_for(text, || self.output_text().contains(text).then_some(()));
    }

    /// The number after `name=` in the output.
    pub(crate) fn number(&self, name: &str) -> i32 {
        wait_for(name, || {
            let text = self.output_text();
            let (_, rest) = text.split_once(&format!("{name}="))?;
            rest.split_once('\r')?.0.parse().ok()
        })
    }

    pub(crate) fn identity(&self, name: &str) -> ProcessIdentity {
        ProcessIdentity::of(self.number(name)).unwrap()
    }

    /// Waits for the shim's end and gives the agent's exit.
    pub(crate) fn ended(&mut self) -> ExitRecord {
        let status = self.shim_ended();
        assert!(status.success(), "{status}");
        assert!(!self.record.socket.exists(), "the socket is gone");
        pu_record::exit::read(&self.layout().exit()).unwrap().expect("an exit record")
    }

    pub(crate) fn shim_ended(&mut self) -> ProcessStatus {
        wait_for("the shim's end", || self.shim.try_wait().unwrap())
    }

    pub(crate) fn shim_pid(&self) -> i32 {
        self.record.shim.pid
    }

    pub(crate) fn cwd(&self) -> PathBuf {
        self.launch.record.cwd.clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.record.child.is_alive() {
            let _ = killpg(Pid::from_raw(self.record.child.pid), Signal::SIGKILL);
        }
        let _ = self.shim.kill();
        let _ = self.shim.wait();
    }
}

pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    decoder: Decoder,
    greeting: Option<Welcome>,
}

impl Client {
    pub(crate) fn send(&mut self, frame: &ClientFrame<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame as kind and payload; `None` when the shim has closed.
    pub(crate) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some((frame.kind, frame.payload.to_vec()));
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(n) => self.decoder.feed(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads until `wanted` takes a frame.
    pub(crate) fn until<T>(&mut self, mut wanted: impl FnMut(ShimFrame<'_>) -> Option<T>) -> T {
        loop {
            let (kind, payload) = self.next().expect("a frame before the end");
            let frame = ShimFrame::decode(&RawFrame { kind, payload: &payload }).unwrap().unwrap();
            if let Some(value) = wanted(frame) {
                return value;
            }
        }
    }

    pub(crate) fn welcome(&mut self) -> Welcome {
        let welcome = self.until(|f| match f {
            ShimFrame::Welcome(welcome) => Some(welcome),
            other => panic!("{other:?}"),
        });
        self.greeting = Some(welcome.clone());
        welcome
    }

    pub(crate) fn exited(&mut self) -> Exited {
        self.until(|f| match f {
            ShimFrame::Exited(exited) => Some(exited),
            _ => None,
        })
    }

    pub(crate) fn done(&mut self, request: &str) {
        self.until(|f| match f {
            ShimFrame::Done(done) if done.request == request => Some(()),
            ShimFrame::Refused(refused) => panic!("{refused:?}"),
            _ => None,
        });
    }

    pub(crate) fn refused(&mut self) -> String {
        self.until(|f| match f {
            ShimFrame::Refused(refused) => Some(refused.code),
            ShimFrame::Done(done) => panic!("{done:?}"),
            _ => None,
        })
    }

    pub(crate) fn screen(&mut self) -> ScreenText {
        self.send(&ClientFrame::Screen);
        self.until(|f| match f {
            ShimFrame::ScreenText(screen) => Some(screen),
            _ => None,
        })
    }

    /// All output up to the agent's exit, checked to be without a hole.
    pub(crate) fn output_to_the_end(&mut self) -> (u64, Vec<u8>, ExitRecord) {
        let mut start = None;
        let mut bytes = Vec::new();
        let exit = self.until(|f| match f {
            ShimFrame::Output { offset, bytes: piece } => {
                let start = *start.get_or_insert(offset);
                assert_eq!(offset, start + bytes.len() as u64, "no hole and no overlap");
                bytes.extend_from_slice(piece);
                None
            }
            ShimFrame::Exited(exited) => Some(exited.exit),
            ShimFrame::Size(_) => None,
            other => panic!("{other:?}"),
        });
        (start.unwrap_or(exit.output_end), bytes, exit)
    }

    /// Collects output until it contains `text`; redraws count too.
    pub(crate) fn until_output_contains(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        self.until(|f| {
            if let ShimFrame::Output { bytes, .. } | ShimFrame::Redraw { bytes, .. } = f {
                seen.extend_from_slice(bytes);
            }
            String::from_utf8_lossy(&seen).contains(text).then_some(())
        });
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// Whether the shim closed the connection, whatever it said before.
    pub(crate) fn closes(mut self) -> bool {
        while let Some((frame, _)) = self.next() {
            assert_ne!(frame, kind::EXITED);
        }
        true
    }
}
