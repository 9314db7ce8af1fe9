//! The line around a request and around an answer: the `id` that ties them together.
//!
//! Knows nothing of any request's meaning.

use crate::{Answer, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a client chose to know an answer by: a number or a string, given back as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    Number(u64),
    Text(String),
}

/// A request as it stands on the line.
///
/// Requests with an `id` are worked on side by side and answered as each is done; requests without one are answered in
/// the order in which they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    #[serde(flatten)]
    pub request: Request,
}

/// An answer as it stands on the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerLine {
    /// The request's `id`, if it had one that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    #[serde(flatten)]
    pub answer: Answer,
}
