//! Many requests over one connection, a few of them under way at a time.
//!
//! It starts a daemon where none runs, but begins nothing anew: a daemon that goes away in the middle ends it.

use crate::connection::LinkError;
use crate::daemon;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use pu_protocol::{Answer, Request, RequestId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Asks all requests, `window` at a time, and hands over each answer as it comes: the request's place, the answer, and
/// how long it took. An error answer is a failure.
pub(crate) fn ask_all(
    endpoint: &Endpoint,
    requests: impl IntoIterator<Item = Request>,
    window: usize,
    mut take: impl FnMut(usize, Answer, Duration) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut connection = daemon::ensure(endpoint)?;
    let mut waiting = (0_u64..).zip(requests);
    let mut under_way: BTreeMap<u64, (Request, Instant)> = BTreeMap::new();
    loop {
        while under_way.len() < window.max(1) {
            let Some((id, request)) = waiting.next() else { break };
            let sent = Instant::now();
            let patience = daemon::patience(&request);
            connection
                .send_as(Some(RequestId::Number(id)), &request, patience)
                .map_err(|error| daemon::no_answer(endpoint, &request, &error))?;
            under_way.insert(id, (request, sent));
        }
        let Some((oldest, _)) = under_way.values().next() else { return Ok(()) };
        let failed = |error: &LinkError| daemon::no_answer(endpoint, oldest, error);
        let (id, reply) = connection.receive_any(daemon::patience(oldest)).map_err(|error| failed(&error))?;
        if let Answer::Error(body) = reply.answer {
            return Err(Failure::Answered(body));
        }
        // What nobody asked for is passed over.
        let Some(RequestId::Number(id)) = id else { continue };
        if let Some((_, sent)) = under_way.remove(&id) {
            take(usize::try_from(id).unwrap_or(usize::MAX), reply.answer, sent.elapsed())?;
        }
    }
}
