//! `logs`: a piece of an agent's output, read from its spool on disk, whether or not the agent still runs.

use super::failure::Failure;
use super::state::Engine;
use pu_protocol::answer::{Gap, LogsReport};
use pu_protocol::{Answer, Base64Bytes, ErrorBody, ErrorCode};
use pu_record::spool::SpoolReader;
use std::path::PathBuf;

/// The most bytes an answer carries: as base64 they stay well inside a line.
const CHUNK_MAX: u32 = 512 * 1024;

/// Which part of the output is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) since: Option<u64>,
    pub(super) tail: Option<u64>,
    pub(super) max_bytes: Option<u32>,
}

impl Engine {
    pub(super) async fn logs(&self, called: &str, cwd: Option<PathBuf>, window: Window) -> Result<Answer, Failure> {
        let agent = self.agent(called, cwd).await?;
        let folder = agent.layout.output();
        // Taken before the spool is read: an agent that ends in between is reported as live once more, never the
        // other way round, so that a reader does not stop early.
        let live = agent.info.state.is_live();
        let report =
            tokio::task::spawn_blocking(move || read(&SpoolReader::new(&folder), window, live)).await?.map_err(
                |e| ErrorBody::new(ErrorCode::Io, format!("cannot read the output of agent {}: {e}", agent.info.name)),
            )?;
        Ok(Answer::LogsReport(report))
    }
}

fn read(spool: &SpoolReader, window: Window, live: bool) -> std::io::Result<LogsReport> {
    let (start, end) = spool.range()?;
    let from = match (window.since, window.tail) {
        (Some(since), _) => since.min(end),
        (None, Some(tail)) => end.saturating_sub(tail).max(start),
        (None, None) => start,
    };
    let max = window.max_bytes.unwrap_or(CHUNK_MAX).clamp(1, CHUNK_MAX);
    let chunk = spool.read_from(from, max as usize)?;
    Ok(LogsReport {
        offset: chunk.offset,
        next_offset: chunk.offset + chunk.bytes.len() as u64,
        end,
        gap: chunk.gap.map(|(from, to)| Gap { from, to }),
        data: Base64Bytes(chunk.bytes),
        live,
    })
}
