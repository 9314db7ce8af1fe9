//! `logs`: a piece of an agent's output, read from its spool on disk, whether or not the agent still runs.

use super::failure::Failure;
use super::state::Engine;
use pu_protocol::answer::{Gap, LogsReport};
use pu_protocol::{Answer, Base64Bytes, ErrorBody, ErrorCode};
use pu_record::exit;
use pu_record::spool::SpoolReader;
use std::path::{Path, PathBuf};

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
        let (folder, exit) = (agent.layout.output(), agent.layout.exit());
        // Taken before the spool is read: an agent that ends in between is reported as live once more, never the
        // other way round, so that a reader does not stop early.
        let live = agent.info.state.is_live();
        let report = tokio::task::spawn_blocking(move || {
            let recorded_end = if live { 0 } else { recorded_end(&exit) };
            read(&SpoolReader::new(&folder), window, live, recorded_end)
        });
        let report = report.await?.map_err(|e| {
            ErrorBody::new(ErrorCode::Io, format!("cannot read the output of agent {}: {e}", agent.info.name))
        })?;
        Ok(Answer::LogsReport(report))
    }
}

/// Where the output ended, as its shim saw it. Without such a record the spool's end is all that is known.
fn recorded_end(exit: &Path) -> u64 {
    exit::read(exit).ok().flatten().map_or(0, |record| record.output_end)
}

fn read(spool: &SpoolReader, window: Window, live: bool, recorded_end: u64) -> std::io::Result<LogsReport> {
    let (start, kept_end) = spool.range()?;
    let end = kept_end.max(recorded_end);
    let from = match (window.since, window.tail) {
        (Some(since), _) => since.min(end),
        (None, Some(tail)) => kept_end.saturating_sub(tail).max(start),
        (None, None) => start,
    };
    let max = window.max_bytes.unwrap_or(CHUNK_MAX).clamp(1, CHUNK_MAX);
    let mut chunk = spool.read_from(from, max as usize)?;
    if chunk.bytes.is_empty() && chunk.offset < end && (from >= kept_end || start == kept_end) {
        // The last bytes of the output never reached the disk, or none of it is kept any more.
        chunk.gap = Some((chunk.offset, end));
        chunk.offset = end;
    }
    Ok(LogsReport {
        offset: chunk.offset,
        next_offset: chunk.offset + chunk.bytes.len() as u64,
        end,
        gap: chunk.gap.map(|(from, to)| Gap { from, to }),
        data: Base64Bytes(chunk.bytes),
        live,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_record::spool::SpoolWriter;

    fn window(since: Option<u64>, tail: Option<u64>) -> Window {
        Window { since, tail, max_bytes: None }
    }

    #[test]
    fn output_that_was_dropped_is_one_gap() {
        let folder = tempfile::tempdir().unwrap();
        SpoolWriter::open(folder.path(), 0).unwrap().append(b"0123456789").unwrap();
        assert_eq!(pu_record::spool::kept(folder.path()).unwrap(), 10);
        assert_eq!(pu_record::spool::drop_kept(folder.path()).unwrap(), 10);
        assert_eq!(pu_record::spool::drop_kept(folder.path()).unwrap(), 0);
        assert_eq!(pu_record::spool::kept(folder.path()).unwrap(), 0);
        let spool = SpoolReader::new(folder.path());
        // Whether or not an exit record says where it ended.
        for recorded_end in [0, 10] {
            for (since, gap) in [(0, Some((0, 10))), (4, Some((4, 10))), (10, None)] {
                let report = read(&spool, window(Some(since), None), false, recorded_end).unwrap();
                let told = report.gap.map(|gap| (gap.from, gap.to));
                assert_eq!((report.offset, report.next_offset, report.end, told), (10, 10, 10, gap), "{since}");
            }
        }
    }

    #[test]
    fn output_that_ended_later_than_what_is_kept_ends_with_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        SpoolWriter::open(folder.path(), 0).unwrap().append(b"0123456789").unwrap();
        let spool = SpoolReader::new(folder.path());
        let table = [
            // since, tail, where the record says the output ended; offset, next offset, end, gap
            (Some(0), None, 10, (0, 10, 10, None)),
            (Some(10), None, 10, (10, 10, 10, None)),
            (Some(0), None, 15, (0, 10, 15, None)),
            (Some(10), None, 15, (15, 15, 15, Some((10, 15)))),
            (Some(12), None, 15, (15, 15, 15, Some((12, 15)))),
            (Some(15), None, 15, (15, 15, 15, None)),
            (Some(99), None, 15, (15, 15, 15, None)),
            (None, Some(3), 15, (7, 10, 15, None)),
            (Some(10), None, 0, (10, 10, 10, None)),
        ];
        for (since, tail, recorded_end, expected) in table {
            let report = read(&spool, window(since, tail), false, recorded_end).unwrap();
            let gap = report.gap.map(|gap| (gap.from, gap.to));
            let seen = (report.offset, report.next_offset, report.end, gap);
            assert_eq!(seen, expected, "since {since:?}, tail {tail:?}, recorded {recorded_end}");
        }
    }
}
