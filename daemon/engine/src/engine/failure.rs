//! Two audiences, two messages: the client gets a code, a sentence and a hint; the log gets the chain of causes.
//!
//! The one place where the rooms' errors become what is told.

use crate::agents::{AgentsError, NotResumable, RosterError};
use crate::context::ContextError;
use crate::gates::Busy;
use crate::projects::discovery::LookError;
use crate::projects::{ConfigKeyError, ProjectError};
use crate::shims::{ShimError, StartError};
use crate::store::StoreError;
use pu_protocol::{ErrorBody, ErrorCode};
use pu_record::RecordError;
use std::error::Error;

/// A request that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) body: ErrorBody,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ErrorBody::new(code, message).into()
    }

    fn of(body: ErrorBody, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { body, cause: Some(Box::new(cause)) }
    }

    /// Writes the chain of causes to the log.
    pub(super) fn log(&self, request: &'static str) {
        let mut chain = Vec::new();
        let mut cause: Option<&(dyn Error + 'static)> = self.cause.as_ref().map(|c| &**c as &(dyn Error + 'static));
        while let Some(error) = cause {
            chain.push(error.to_string());
            cause = error.source();
        }
        tracing::warn!(
            request,
            code = self.body.code.as_str(),
            message = self.body.message,
            ?chain,
            "a request failed"
        );
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self { body, cause: None }
    }
}

impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        busy.body().into()
    }
}

impl From<RosterError> for Failure {
    fn from(error: RosterError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<NotResumable> for Failure {
    fn from(error: NotResumable) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<ConfigKeyError> for Failure {
    fn from(error: ConfigKeyError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Project(error) => error.into(),
            LookError::Asleep => Self::new(ErrorCode::Internal, error.to_string()),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<ShimError> for Failure {
    fn from(error: ShimError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(error.body(), error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<AgentsError> for Failure {
    fn from(error: AgentsError) -> Self {
        Self::of(error.to_body(), error)
    }
}

impl From<ContextError> for Failure {
    fn from(error: ContextError) -> Self {
        Self::of(error.body(), error)
    }
}

/// A task of ours that panicked: contained, logged by the panic hook, told as what it is.
impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        let body = ErrorBody::new(ErrorCode::Internal, "the daemon failed inside; its log says where")
            .with_hint("`pu daemon logs` shows it; please report it");
        Self::of(body, error)
    }
}
