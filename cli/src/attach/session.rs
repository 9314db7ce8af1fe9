//! The loop of an attached terminal: one thread, one poll(2), four kinds of readiness.
//!
//! Each kind has a method; the loop itself has no logic. No typed byte and no frame is dropped: what one side cannot
//! take yet waits, and while too much waits the other side is not read.

use super::Attachment;
use super::detach::{Detector, Typed};
use super::filter::ScreenFilter;
use super::screen::Screen;
use super::signals::Signals;
use crate::failure::Failure;
use crate::screen::terminal_size;
use crate::shim::{Incoming, ShimError, ShimLink};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pu_protocol::frame::{ClientFrame, ExitRecord, ShimFrame, TerminalSize};
use signal_hook::consts::{SIGCONT, SIGWINCH};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Nothing more is read from the keyboard while this much input waits for the shim.
const UNSENT_MAX: usize = 64 * 1024;
/// How long the reminder of the detach keys stands on the screen.
const NOTICE: Duration = Duration::from_secs(3);

/// Why an attached terminal is given back.
#[derive(Debug)]
pub(crate) enum End {
    Detached,
    Exited(Box<ExitRecord>),
    Lost(String),
    /// Somebody wants this process to end.
    Signal(i32),
    Failed(Failure),
}

/// The reminder of the detach keys on the last row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Notice {
    /// Not shown yet.
    Due,
    Until(Instant),
    Gone,
}

pub(crate) struct Session<'a> {
    attachment: &'a Attachment,
    link: ShimLink,
    signals: Signals,
    keyboard: File,
    display: File,
    detector: Detector,
    filter: ScreenFilter,
    notice: Notice,
    /// The user has typed here, which gave this terminal the say over the agent's size.
    typed: bool,
    /// The offset behind the last byte that is on the screen, or that the screen was painted from; none yet without.
    shown: Option<u64>,
}

/// What is ready.
#[derive(Debug, Default)]
struct Ready {
    keyboard: bool,
    link: bool,
    signals: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(attachment: &'a Attachment, link: ShimLink, signals: Signals) -> Result<Self, Failure> {
        let own = |fd: io::Result<_>| fd.map(File::from).map_err(|e| Failure::io("use", "the terminal", e));
        Ok(Self {
            attachment,
            link,
            signals,
            keyboard: own(io::stdin().as_fd().try_clone_to_owned())?,
            display: own(io::stdout().as_fd().try_clone_to_owned())?,
            detector: Detector::new(attachment.keys.clone()),
            filter: ScreenFilter::default(),
            notice: Notice::Due,
            typed: false,
            shown: None,
        })
    }

    /// Runs to its end; answers that, and up to which offset the output was shown.
    pub(crate) fn run(mut self) -> (End, Option<u64>) {
        loop {
            if let Err(end) = self.turn() {
                let _ = self.link.push(&ClientFrame::Detach);
                let _ = self.link.finish_sending();
                return (end, self.shown);
            }
        }
    }

    fn turn(&mut self) -> Result<(), End> {
        // Before waiting: a greeting's answer may have brought frames with it.
        while self.on_frames()? {}
        self.send()?;
        let ready = self.wait()?;
        if ready.signals {
            self.on_signals()?;
        }
        match ready.keyboard {
            true => self.on_keyboard()?,
            false => self.on_pause()?,
        }
        if ready.link { self.on_link() } else { Ok(()) }
    }

    fn wait(&self) -> Result<Ready, End> {
        let room = self.link.unsent() < UNSENT_MAX;
        let mut link_flags = PollFlags::POLLIN;
        link_flags.set(PollFlags::POLLOUT, self.link.unsent() > 0);
        let keyboard_flags = if room { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut fds =
            vec![PollFd::new(self.keyboard.as_fd(), keyboard_flags), PollFd::new(self.link.as_fd(), link_flags)];
        fds.extend(self.signals.descriptors().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match poll(&mut fds, self.timeout()) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Ready { signals: true, ..Ready::default() }),
            Err(e) => return Err(End::Failed(Failure::io("wait for", "the terminal", e.into()))),
        }
        let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
        Ok(Ready { keyboard: ready(&fds[0]), link: ready(&fds[1]), signals: fds[2..].iter().any(ready) })
    }

    fn timeout(&self) -> PollTimeout {
        let notice = match self.notice {
            Notice::Until(time) => Some(time.saturating_duration_since(Instant::now()) + Duration::from_millis(1)),
            _ => None,
        };
        let shortest = [self.detector.pause(), notice].into_iter().flatten().min();
        shortest.and_then(|time| PollTimeout::try_from(time).ok()).unwrap_or(PollTimeout::NONE)
    }

    /// Nothing was typed for as long as something waits for it.
    fn on_pause(&mut self) -> Result<(), End> {
        if self.detector.pause().is_some() {
            let typed = self.detector.flush();
            self.pass_on(&typed)?;
        }
        match self.notice {
            Notice::Until(time) if time <= Instant::now() => {
                self.notice = Notice::Gone;
                self.relink()
            }
            _ => Ok(()),
        }
    }

    fn on_keyboard(&mut self) -> Result<(), End> {
        let mut buffer = [0; 16 * 1024];
        match self.keyboard.read(&mut buffer) {
            Ok(0) => Err(End::Detached),
            Ok(n) => {
                let typed = self.detector.feed(&buffer[..n]);
                self.pass_on(&typed)
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => Ok(()),
            Err(e) => Err(End::Failed(Failure::io("read from", "the terminal", e))),
        }
    }

    fn pass_on(&mut self, typed: &Typed) -> Result<(), End> {
        if !typed.forward.is_empty() && !self.attachment.read_only {
            self.typed = true;
            self.push(&ClientFrame::Input(&typed.forward))?;
        }
        if typed.detached { Err(End::Detached) } else { Ok(()) }
    }

    fn on_link(&mut self) -> Result<(), End> {
        match self.link.receive() {
            Ok(()) => Ok(()),
            Err(ShimError::Io(e)) if e.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(e) => Err(lost(&e)),
        }
    }

    /// Shows what has come. Whether there may be more: a new connection brings frames of its own.
    fn on_frames(&mut self) -> Result<bool, End> {
        let (mut painted, mut redrawn, mut went_back) = (Vec::new(), false, false);
        let ended = loop {
            match self.link.next().map_err(|e| lost(&e.into()))? {
                Incoming::Frame(ShimFrame::Output { offset, bytes }) => {
                    self.shown = Some(offset + bytes.len() as u64);
                    went_back |= self.filter.feed(bytes, &mut painted);
                }
                Incoming::Frame(ShimFrame::Redraw { offset, bytes }) => {
                    self.shown = Some(offset);
                    redrawn = true;
                    self.filter.feed(bytes, &mut painted);
                }
                Incoming::Frame(ShimFrame::Exited(exited)) => break Some(Box::new(exited.exit)),
                Incoming::Frame(_) | Incoming::Unknown => {}
                Incoming::Nothing => break None,
            }
        };
        if redrawn {
            self.remind(&mut painted);
        }
        self.display.write_all(&painted).map_err(|e| End::Failed(Failure::Output(e)))?;
        match ended {
            Some(exit) => Err(End::Exited(exit)),
            None if went_back => self.relink().map(|()| true),
            None => Ok(false),
        }
    }

    /// Draws the reminder on the last row, where a later redraw takes it away again.
    fn remind(&mut self, painted: &mut Vec<u8>) {
        let (Notice::Due, Some(size)) = (self.notice, terminal_size()) else { return };
        let text: String = format!(" {} ", self.attachment.announcement()).chars().take(size.cols.into()).collect();
        painted.extend_from_slice(format!("\x1b7\x1b[{};1H\x1b[0;7m{text}\x1b[0m\x1b8", size.rows).as_bytes());
        self.notice = Notice::Until(Instant::now() + NOTICE);
    }

    /// Sends what the shim takes now. A shim that takes nothing any more may have said why: that the agent has ended.
    fn send(&mut self) -> Result<(), End> {
        let Err(error) = self.link.send_some() else { return Ok(()) };
        while self.link.receive().is_ok() {}
        while self.on_frames()? {}
        Err(lost(&error))
    }

    /// Connects anew, which brings a redraw. What was typed before goes out first, over the old connection.
    fn relink(&mut self) -> Result<(), End> {
        self.link.push(&ClientFrame::Detach).map_err(|e| lost(&e.into()))?;
        self.link.finish_sending().map_err(|e| lost(&e))?;
        self.link = self.attachment.link().map_err(End::Failed)?;
        self.filter = ScreenFilter::default();
        if self.typed { self.push(&ClientFrame::TakeSize) } else { Ok(()) }
    }

    fn on_signals(&mut self) -> Result<(), End> {
        for signal in self.signals.take() {
            match signal {
                SIGWINCH => self.resize()?,
                SIGCONT => {
                    Screen::again().map_err(|e| End::Failed(Failure::io("put into raw mode", "the terminal", e)))?;
                    self.relink()?;
                }
                other => return Err(End::Signal(other)),
            }
        }
        Ok(())
    }

    fn resize(&mut self) -> Result<(), End> {
        match terminal_size() {
            Some(size) => self.push(&ClientFrame::Resize(TerminalSize::clamped(size))),
            None => Ok(()),
        }
    }

    fn push(&mut self, frame: &ClientFrame<'_>) -> Result<(), End> {
        self.link.push(frame).map_err(|e| lost(&e.into()))
    }
}

fn lost(error: &ShimError) -> End {
    End::Lost(error.to_string())
}
