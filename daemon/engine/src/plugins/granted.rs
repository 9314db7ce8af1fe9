//! The host's side of the interfaces `state` and `history`.
//!
//! They are linked for every plugin, so that one link serves all chains; that a plugin which was not granted what it
//! imports is not even called is seen to before. What it finds here then, were it called, is a failure and no trap.

use super::bindings::{WireFailure, all, history, state};
use super::contract::ReadFailure;
use super::memory::Memory;
use super::past;
use super::state::CallState;

impl CallState {
    /// What it keeps, if it may keep anything.
    fn remembered(&mut self) -> Result<&mut Memory, ReadFailure> {
        self.kept.as_mut().ok_or_else(|| unavailable("there is no state for this plugin"))
    }
}

impl state::Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, WireFailure>> {
        self.enter()?;
        let found = self.remembered().and_then(|memory| Ok(memory.get(&key)?.map(<[u8]>::to_vec)));
        let value = match found {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.hand_over(value.as_ref().map_or(0, Vec::len))?;
        Ok(Ok(value))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), WireFailure>> {
        self.enter()?;
        let set = self.remembered().and_then(|memory| memory.set(key, value));
        Ok(set.map_err(Into::into))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), WireFailure>> {
        self.enter()?;
        let deleted = self.remembered().and_then(|memory| memory.delete(key));
        Ok(deleted.map_err(Into::into))
    }

    fn keys(&mut self, prefix: String) -> wasmtime::Result<Result<Vec<String>, WireFailure>> {
        self.enter()?;
        let keys = match self.remembered() {
            Ok(memory) => memory.keys(&prefix),
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.hand_over(keys.iter().map(String::len).sum())?;
        Ok(Ok(keys))
    }
}

impl history::Host for CallState {
    fn recent(&mut self, query: history::Query) -> wasmtime::Result<Result<history::Page, WireFailure>> {
        self.enter()?;
        let Some(tasks) = self.past.clone() else {
            return Ok(Err(unavailable("the past tasks are not there for this plugin").into()));
        };
        let (tasks, next) = match past::page(&tasks, query.cursor.as_deref(), query.limit) {
            Ok(page) => page,
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.hand_over(tasks.iter().map(past::size).sum())?;
        Ok(Ok(history::Page { tasks: all(tasks.to_vec()), next }))
    }
}

fn unavailable(message: &str) -> ReadFailure {
    ReadFailure::new("unavailable", message)
}
