//! One connection: lines in, requests to the engine, answers out.
//!
//! Requests with an `id` run side by side; those without run one after another. A request that was begun is finished
//! even if its client goes away. Only cancel-safe reads: no typed byte is lost to a `select!`.

use super::codec::{Line, LineDecoder};
use crate::engine::{Engine, EventFilter, Reply};
use crate::events::Subscription;
use futures_util::StreamExt as _;
use interprocess::local_socket::tokio::Stream as LocalStream;
use pu_protocol::{Answer, AnswerLine, ErrorBody, ErrorCode, LINE_MAX, Request, RequestId};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Requests with an id that one connection may have under way.
const PIPELINE_MAX: usize = 64;
/// Answers that wait for a client that reads slowly; beyond that its requests wait too.
const ANSWERS_WAITING: usize = 64;
/// How long a refused client is given to take its refusal.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// An answer on its way to the client.
struct Outgoing {
    line: AnswerLine,
    /// A stopping daemon waits until the answers to what it did are written.
    _under_way: Option<TaskTrackerToken>,
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: LocalStream, engine: Engine) {
    let stream = Arc::new(stream);
    let (answers, waiting) = mpsc::channel(ANSWERS_WAITING);
    let writer = tokio::spawn(write_answers(Arc::clone(&stream), waiting));
    let ended = CancellationToken::new();
    let subscriptions_end = ended.clone().drop_guard();
    let connection = Connection { engine, answers, pipeline: Arc::new(Semaphore::new(PIPELINE_MAX)), ended };
    let mut lines = FramedRead::new(&*stream, LineDecoder::new());
    while let Some(line) = lines.next().await {
        match line {
            Ok(line) => connection.take(line).await,
            Err(error) => {
                tracing::debug!(%error, "a connection broke");
                break;
            }
        }
    }
    // Subscriptions end with the client's last request line; answers under way are still written.
    drop(subscriptions_end);
    drop(connection);
    let _ = writer.await;
}

/// Tells a client why it is not served, and closes.
pub(super) async fn refuse(stream: LocalStream, error: ErrorBody) {
    let line = AnswerLine { id: None, answer: Answer::Error(error) };
    let told = async {
        write_line(&stream, &line).await?;
        // A client that is still writing when this side closes would be told of that alone.
        let mut unheard = [0; 1024];
        while (&stream).read(&mut unheard).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    let _ = tokio::time::timeout(REFUSAL_LIMIT, told).await;
}

#[derive(Clone)]
struct Connection {
    engine: Engine,
    answers: mpsc::Sender<Outgoing>,
    pipeline: Arc<Semaphore>,
    /// Cancelled when the client's side is closed.
    ended: CancellationToken,
}

impl Connection {
    async fn take(&self, line: Line) {
        let bytes = match line {
            Line::Complete(bytes) => bytes,
            Line::TooLong => {
                let error = ErrorBody::new(ErrorCode::LineTooLong, format!("a line is {LINE_MAX} bytes at most"))
                    .with_hint("send large data in several requests");
                return self.answer(None, Answer::Error(error), None).await;
            }
        };
        if bytes.trim_ascii().is_empty() {
            return;
        }
        match parse(&bytes) {
            Ok((None, request)) => {
                let under_way = self.engine.begin();
                let reply = self.engine.handle(request).await;
                self.reply(None, reply, under_way).await;
            }
            Ok((id, request)) => self.take_aside(id, request).await,
            Err((id, error)) => self.answer(id, Answer::Error(error), None).await,
        }
    }

    /// A request with an id runs beside the others, in a task of its own.
    async fn take_aside(&self, id: Option<RequestId>, request: Request) {
        let Ok(place) = Arc::clone(&self.pipeline).try_acquire_owned() else {
            let error =
                ErrorBody::new(ErrorCode::Busy, format!("{PIPELINE_MAX} requests of this connection are under way"))
                    .with_hint("wait for an answer first");
            return self.answer(id, Answer::Error(error), None).await;
        };
        let aside = self.clone();
        let under_way = self.engine.begin();
        tokio::spawn(async move {
            let reply = aside.engine.handle(request).await;
            drop(place);
            aside.reply(id, reply, under_way).await;
        });
    }

    async fn reply(&self, id: Option<RequestId>, reply: Reply, under_way: TaskTrackerToken) {
        match reply {
            Reply::Answer(answer) => self.answer(id, *answer, Some(under_way)).await,
            Reply::Events(subscription, filter) => {
                self.answer(id.clone(), Answer::Subscribed { seq: subscription.since }, None).await;
                let subscriber = Subscriber { id, filter, answers: self.answers.clone(), engine: self.engine.clone() };
                let ended = self.ended.clone();
                let telling = self.engine.begin_telling();
                tokio::spawn(async move {
                    ended.run_until_cancelled(subscriber.follow(subscription)).await;
                    drop(telling);
                });
            }
        }
    }

    async fn answer(&self, id: Option<RequestId>, answer: Answer, under_way: Option<TaskTrackerToken>) {
        let line = AnswerLine { id, answer };
        // A client that closed its end gets no answer; there is nobody to tell.
        let _ = self.answers.send(Outgoing { line, _under_way: under_way }).await;
    }
}

/// Where the events of one subscription go.
struct Subscriber {
    id: Option<RequestId>,
    filter: EventFilter,
    answers: mpsc::Sender<Outgoing>,
    engine: Engine,
}

impl Subscriber {
    /// Sends events until the client or the daemon ends.
    async fn follow(self, mut subscription: Subscription) {
        loop {
            let answer = match subscription.events.recv().await {
                Ok(line) if self.filter.lets_through(&line.event) => Answer::Event(line),
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => Answer::EventsLost { missed },
                Err(RecvError::Closed) => return,
            };
            let line = AnswerLine { id: self.id.clone(), answer };
            let outgoing = Outgoing { line, _under_way: Some(self.engine.begin_telling()) };
            if self.answers.send(outgoing).await.is_err() {
                return;
            }
        }
    }
}

type Parsed = (Option<RequestId>, Request);

/// The id is found first, so that an error about the rest can carry it.
fn parse(bytes: &[u8]) -> Result<Parsed, (Option<RequestId>, ErrorBody)> {
    let malformed = |message: String| {
        ErrorBody::new(ErrorCode::MalformedRequest, message)
            .with_hint("send one JSON object a line, such as {\"type\":\"health\"}")
    };
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| (None, malformed(format!("the line is not JSON: {e}"))))?;
    let Value::Object(fields) = &value else {
        return Err((None, malformed("the line is JSON but no object".into())));
    };
    let id = match fields.get("id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(serde_json::from_value::<RequestId>(id.clone()).map_err(|_| {
            (None, ErrorBody::new(ErrorCode::InvalidRequest, "`id` is neither a whole number nor a string"))
        })?),
    };
    let Some(kind) = fields.get("type").and_then(Value::as_str) else {
        return Err((id, malformed("the object has no `type`".into())));
    };
    if !Request::TYPES.contains(&kind) {
        let error = ErrorBody::new(ErrorCode::UnknownRequest, format!("no request has the type {kind:?}"))
            .with_hint(format!("this daemon knows {}", Request::TYPES.join(", ")));
        return Err((id, error));
    }
    let kind = kind.to_owned();
    match serde_json::from_value(value) {
        Ok(request) => Ok((id, request)),
        Err(e) => Err((
            id,
            ErrorBody::new(ErrorCode::InvalidRequest, format!("the {kind:?} request does not read: {e}"))
                .with_hint("`pu protocol schema` prints what each request takes"),
        )),
    }
}

async fn write_answers(stream: Arc<LocalStream>, mut waiting: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = waiting.recv().await {
        if let Err(error) = write_line(&stream, &outgoing.line).await {
            tracing::debug!(%error, "an answer found no reader");
            return;
        }
    }
}

async fn write_line(mut stream: &LocalStream, line: &AnswerLine) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    if bytes.len() >= LINE_MAX {
        let error = ErrorBody::new(
            ErrorCode::Internal,
            format!("the answer is {} bytes long, over a line's limit", bytes.len()),
        )
        .with_hint("ask for less at a time");
        bytes = serde_json::to_vec(&AnswerLine { id: line.id.clone(), answer: Answer::Error(error) })?;
    }
    bytes.push(b'\n');
    stream.write_all(&bytes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_line_has_its_own_error_and_keeps_its_id() {
        use ErrorCode::{InvalidRequest, MalformedRequest, UnknownRequest};
        let number = |n| Some(RequestId::Number(n));
        let cases: [(&[u8], Option<RequestId>, ErrorCode); 8] = [
            (b"garbage", None, MalformedRequest),
            (b"{\"type\":\"hea", None, MalformedRequest),
            (b"\xff\xfe\x00", None, MalformedRequest),
            (b"[1]", None, MalformedRequest),
            (b"{\"id\":3}", number(3), MalformedRequest),
            (b"{\"type\":\"nonsense\",\"id\":4}", number(4), UnknownRequest),
            (b"{\"type\":\"logs\",\"id\":5}", number(5), InvalidRequest),
            (b"{\"type\":\"health\",\"id\":{}}", None, InvalidRequest),
        ];
        for (line, id, code) in cases {
            let (found_id, error) = parse(line).unwrap_err();
            assert_eq!((found_id, error.code), (id, code), "{}", String::from_utf8_lossy(line));
        }
    }
}
