//! `pu send`: typing into an agent's terminal from elsewhere.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::keys::Key;
use pu_protocol::{Answer, Base64Bytes, Request};

/// What fits a request's line with room to spare once it is base64.
const PIECE: usize = 256 * 1024;

/// Type into an agent's terminal
///
/// TEXT is followed by Enter, in a write of its own, since programs take text and Enter in one write for a paste.
/// --keys come after TEXT.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu send fix-auth \"also add a test\"
  pu send fix-auth --no-enter \"/mod\"
  pu send fix-auth --keys C-c
  pu send fix-auth --keys Down --keys Enter")]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// What to type.
    #[arg(allow_hyphen_values = true, required_unless_present = "keys")]
    text: Option<String>,
    /// Do not press Enter after TEXT.
    #[arg(long)]
    no_enter: bool,
    /// Press a key, such as C-c, Esc, Up, M-x; may be repeated.
    #[arg(long, value_name = "KEY")]
    keys: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let writes = writes(self.text.as_deref(), self.no_enter, &self.keys)?;
        let mut last = None;
        for data in writes {
            let request = Request::Input { agent: self.agent.clone(), cwd: invocation.cwd(), data: Base64Bytes(data) };
            let reply = invocation.ask(&request)?;
            if reply.answer != Answer::Done {
                return Err(invocation.mismatch("input", &reply.answer));
            }
            last = Some(reply);
        }
        if let (Some(reply), true) = (last, invocation.json) {
            invocation.show(&reply, String::new)?;
        }
        Ok(Outcome::DONE)
    }
}

/// The writes to the terminal, in order: the text in pieces, Enter by itself, each key by itself.
fn writes(text: Option<&str>, no_enter: bool, keys: &[String]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    if let Some(text) = text {
        out.extend(text.as_bytes().chunks(PIECE).map(<[u8]>::to_vec));
        if !no_enter {
            out.push(b"\r".to_vec());
        }
    }
    for key in keys {
        out.push(Key::parse(key)?.bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_enter_are_two_writes() {
        assert_eq!(writes(Some("hi"), false, &[]).unwrap(), [b"hi".to_vec(), b"\r".to_vec()]);
        assert_eq!(writes(Some("hi"), true, &[]).unwrap(), [b"hi".to_vec()]);
        assert_eq!(writes(Some(""), false, &[]).unwrap(), [b"\r".to_vec()]);
        let keys = ["C-c".to_owned(), "Up".to_owned()];
        assert_eq!(writes(None, false, &keys).unwrap(), [b"\x03".to_vec(), b"\x1b[A".to_vec()]);
        assert!(writes(None, false, &["Bogus".to_owned()]).is_err());
    }

    #[test]
    fn a_long_text_is_sent_in_pieces_and_whole() {
        let text = "x".repeat(PIECE * 2 + 1);
        let all = writes(Some(&text), true, &[]).unwrap();
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [PIECE, PIECE, 1]);
    }
}
