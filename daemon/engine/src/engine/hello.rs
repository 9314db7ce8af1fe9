//! `hello`: whether client and daemon speak a common version.

use super::failure::Failure;
use super::state::Engine;
use pu_protocol::{Answer, ErrorBody, ErrorCode, PROTOCOL_VERSION, Request};

impl Engine {
    pub(super) fn hello(&self, client: &str, version: &str, min: u32, max: u32) -> Result<Answer, Failure> {
        tracing::debug!(client, version, min, max, "hello");
        if (min..=max).contains(&PROTOCOL_VERSION) {
            return Ok(Answer::HelloReport {
                protocol_version: PROTOCOL_VERSION,
                engine_version: env!("CARGO_PKG_VERSION").into(),
                capabilities: Request::TYPES.iter().map(|&t| t.to_owned()).collect(),
            });
        }
        let (older, mend) = if max < PROTOCOL_VERSION {
            ("the client is older", "update `pu`")
        } else {
            ("the daemon is older", "`pu daemon restart` starts the new one; agents go on running")
        };
        let message = format!("the daemon speaks protocol {PROTOCOL_VERSION}, the client {min} to {max}: {older}");
        Err(ErrorBody::new(ErrorCode::UnsupportedProtocol, message).with_hint(mend).into())
    }
}
