//! One call through the host, as the daemon makes it: a place at the gate, the ticker, a fresh store and instance, the
//! call, and the checks of the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pu_engine::plugins::{Assembly, CallReport, Plugin, SpecReader, Task};

/// So long that a machine on which everything stands still for a while does not end the run.
const LATEST: Duration = Duration::from_secs(60);

pub(crate) fn call(plugin: &Plugin, task: &Task, reader: &Arc<dyn SpecReader>) -> Result<Assembly> {
    let CallReport { outcome, dropped, .. } =
        plugin.assemble(task, reader, "{}", plugin.deadline(), Instant::now() + LATEST);
    let answer = outcome?;
    ensure!(dropped.is_empty(), "the host let not all of the answer through: {dropped:?}");
    Ok(answer)
}
