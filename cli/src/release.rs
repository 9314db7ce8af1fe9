//! A daemon of another release than this `pu`: which of the two is older, and what mends it.
//!
//! Asked only where something was not understood: two releases that understand each other need no word of it.

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use pu_protocol::{Answer, ErrorBody, ErrorCode, PROTOCOL_VERSION, Request};
use std::cmp::Ordering;
use std::time::Duration;

/// This program's release.
pub(crate) const OWN: &str = env!("CARGO_PKG_VERSION");
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a daemon did not understand what is called `what`, or was not understood, if it is of another release; `None` if it
/// is of this one, or does not say.
pub(crate) fn difference(endpoint: &Endpoint, what: &str) -> Option<ErrorBody> {
    let mut connection = Connection::open(&endpoint.socket).ok()?;
    let hello = Request::Hello {
        client: "pu".to_owned(),
        client_version: OWN.to_owned(),
        protocol_min: PROTOCOL_VERSION,
        protocol_max: PROTOCOL_VERSION,
    };
    match connection.exchange(&hello, PATIENCE).ok()?.answer {
        Answer::HelloReport { engine_version, .. } => judged(&engine_version, OWN, what),
        // It says itself which side is older.
        Answer::Error(body) if body.code == ErrorCode::UnsupportedProtocol => Some(body),
        _ => None,
    }
}

fn judged(engine: &str, own: &str, what: &str) -> Option<ErrorBody> {
    if engine == own {
        return None;
    }
    let (older, mend) = match number(engine).zip(number(own)).map(|(engine, own)| engine.cmp(&own)) {
        Some(Ordering::Less) => {
            ("the daemon is older", "`pu daemon restart` puts the new one in its place; agents go on running")
        }
        Some(Ordering::Greater) => (
            "this `pu` is older",
            "install pu, pu-engine and pu-shim of one release (`make install`); `pu doctor` says where each lies",
        ),
        Some(Ordering::Equal) | None => ("which is older is not known", "`pu doctor` says where each program lies"),
    };
    let message =
        format!("the daemon is of release {engine} and this `pu` of {own}: {older}, and `{what}` is not understood");
    Some(ErrorBody::new(ErrorCode::UnknownRequest, message).with_hint(mend))
}

/// A release as numbers that compare; what follows a `-` or `+` is left out.
fn number(release: &str) -> Option<Vec<u64>> {
    let plain = release.split(['-', '+']).next()?;
    plain.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_side_is_named_with_the_command_that_mends_it() {
        let judged = |engine, own| judged(engine, own, "resume");
        assert_eq!(judged("0.1.0", "0.1.0"), None);
        for (engine, own, older, mend) in [
            ("0.1.0", "0.2.0", "the daemon is older", "pu daemon restart"),
            ("0.9.0", "0.10.0", "the daemon is older", "pu daemon restart"),
            ("1.0.0", "0.9.9", "this `pu` is older", "install"),
            ("1.0.0-rc.1", "1.0.0", "not known", "doctor"),
            ("next", "0.1.0", "not known", "doctor"),
        ] {
            let body = judged(engine, own).unwrap();
            assert!(body.message.contains(older) && body.message.contains("`resume`"), "{body:?}");
            assert!(body.hint.unwrap().contains(mend), "{engine} {own}");
        }
    }
}
