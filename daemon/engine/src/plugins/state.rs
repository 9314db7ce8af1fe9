//! What one call of a plugin has and has used: the host's side of the interfaces `specs`, `log` and `config`; the further
//! ones are in `granted`.
//!
//! An epoch cannot interrupt a host call, so each one counts, looks at the clock before it starts, and is bounded.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::bindings::{WireFailure, all, config, log, specs, types};
use super::check::one_line;
use super::contract::{Granted, PastTask, ReadFailure, SpecMeta, SpecReader};
use super::deadline::Deadline;
use super::failure::{FailureCode, PluginFailure};
use super::limits::HostLimits;
use super::memory::{Memory, StateChanges};

/// The contract's bounds; `context.wit` names them.
const HITS_MAX: u32 = 200;
const PAGE_MAX: u32 = 500;
const QUERY_MAX: usize = 16 * 1024;
const READ_MAX: usize = 1 << 20;
const LOG_LINE_MAX: usize = 1000;
const WEIGHT_MAX: f32 = 100.0;
/// A filter or field costs a look at every spec, within one call that nothing can interrupt.
const FIELDS_MAX: usize = 16;
const FILTERS_MAX: usize = 16;
const FILTER_MAX: usize = 4 * 1024;
const FIELDS: [&str; 7] = ["path", "title", "ids", "headings", "tags", "body", "code"];
const FILTERS: [&str; 3] = ["tag", "path-prefix", "attribute"];

pub(super) struct CallState {
    reader: Arc<dyn SpecReader>,
    /// What it keeps from one task to the next, with its changes.
    pub(super) kept: Option<Memory>,
    pub(super) past: Option<Arc<[PastTask]>>,
    config_json: String,
    limits: Arc<HostLimits>,
    deadline: Deadline,
    host_calls: u32,
    bytes_read: u64,
    /// Bytes of linear memory of all of the component's memories.
    memory: usize,
    pub(super) log: Vec<String>,
    log_lines_lost: u64,
    /// The plugin's last words, if it panicked.
    pub(super) panic: Option<String>,
    /// What growth was refused: a guest shows that as a bare trap, if at all.
    pub(super) refused: Option<String>,
}

impl CallState {
    pub(super) fn new(
        reader: Arc<dyn SpecReader>,
        granted: Granted,
        config_json: String,
        limits: Arc<HostLimits>,
        deadline: Deadline,
    ) -> Self {
        Self {
            reader,
            kept: granted.state.map(Memory::new),
            past: granted.past,
            config_json,
            limits,
            deadline,
            host_calls: 0,
            bytes_read: 0,
            memory: 0,
            log: Vec::new(),
            log_lines_lost: 0,
            panic: None,
            refused: None,
        }
    }

    /// Fails when the deadline has passed.
    pub(super) fn check_deadline(&self) -> Result<(), PluginFailure> {
        if !self.deadline.has_passed() {
            return Ok(());
        }
        Err(PluginFailure::new(FailureCode::Deadline, "it did not answer in time"))
    }

    /// The log, with a last line that counts what was not kept.
    pub(super) fn take_log(&mut self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.log);
        if self.log_lines_lost > 0 {
            lines.push(format!("warn: {} more lines were not kept", self.log_lines_lost));
        }
        lines
    }

    /// What the call changed of its state.
    pub(super) fn take_changes(&mut self) -> StateChanges {
        self.kept.take().map(Memory::into_changes).unwrap_or_default()
    }

    /// The start of each host call.
    pub(super) fn enter(&mut self) -> wasmtime::Result<()> {
        self.check_deadline()?;
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            let message = format!("it called the host more than {} times", self.limits.host_calls);
            return Err(PluginFailure::new(FailureCode::HostCallLimit, message).into());
        }
        Ok(())
    }

    /// Counts what is about to be handed over.
    pub(super) fn hand_over(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.bytes_read = self.bytes_read.saturating_add(bytes as u64);
        if self.bytes_read > self.limits.bytes_read {
            let message = format!("it read more than {} KiB", self.limits.bytes_read >> 10);
            return Err(PluginFailure::new(FailureCode::HostCallLimit, message).into());
        }
        Ok(())
    }
}

impl specs::Host for CallState {
    fn search(&mut self, query: specs::Query) -> wasmtime::Result<Result<Vec<types::Hit>, WireFailure>> {
        self.enter()?;
        if let Err(failure) = check_query(&query) {
            return Ok(Err(failure.into()));
        }
        let limit = query.limit.min(HITS_MAX);
        let hits = match self.reader.search(&specs::Query { limit, ..query }.into()) {
            Ok(hits) => hits,
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.hand_over(hits.iter().map(|hit| meta_size(&hit.spec)).sum())?;
        Ok(Ok(all(hits)))
    }

    fn list(&mut self, listing: specs::Listing) -> wasmtime::Result<Result<specs::Page, WireFailure>> {
        self.enter()?;
        if let Err(failure) = check_listing(&listing) {
            return Ok(Err(failure.into()));
        }
        let limit = listing.limit.clamp(1, PAGE_MAX);
        let page = match self.reader.list(&specs::Listing { limit, ..listing }.into()) {
            Ok(page) => page,
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.hand_over(page.specs.iter().map(meta_size).sum())?;
        Ok(Ok(page.into()))
    }

    fn get(&mut self, id: String) -> wasmtime::Result<Result<types::SpecMeta, WireFailure>> {
        self.enter()?;
        match self.reader.get(&id) {
            Ok(spec) => {
                self.hand_over(meta_size(&spec))?;
                Ok(Ok(spec.into()))
            }
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn read(&mut self, id: String, section: Option<String>) -> wasmtime::Result<Result<String, WireFailure>> {
        self.enter()?;
        match self.reader.read(&id, section.as_deref()) {
            Ok(text) if text.len() > READ_MAX => {
                Ok(Err(ReadFailure::new("too_large", "larger than 1 MiB: use read-range").into()))
            }
            Ok(text) => {
                self.hand_over(text.len())?;
                Ok(Ok(text))
            }
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn read_range(
        &mut self,
        id: String,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<specs::Chunk, WireFailure>> {
        self.enter()?;
        let length = length.min(u32::try_from(READ_MAX).unwrap_or(u32::MAX));
        match self.reader.read_range(&id, offset, length) {
            Ok(chunk) => {
                self.hand_over(chunk.text.len())?;
                Ok(Ok(chunk.into()))
            }
            Err(failure) => Ok(Err(failure.into())),
        }
    }
}

impl log::Host for CallState {
    fn write(&mut self, level: String, message: String) -> wasmtime::Result<()> {
        self.enter()?;
        let message = one_line(&message, LOG_LINE_MAX);
        if level == "panic" {
            self.panic = Some(message);
        } else if self.log.len() < self.limits.log_lines {
            self.log.push(format!("{}: {message}", one_line(&level, 16)));
        } else {
            self.log_lines_lost += 1;
        }
        Ok(())
    }
}

impl config::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.enter()?;
        Ok(self.config_json.clone())
    }
}

impl types::Host for CallState {}

impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            self.refused = Some(format!("it wanted more than {} MiB of memory", self.limits.memory >> 20));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.table_elements {
            self.refused = Some(format!("it wanted a table of more than {} elements", self.limits.table_elements));
            return Ok(false);
        }
        Ok(true)
    }
}

fn check_query(query: &specs::Query) -> Result<(), ReadFailure> {
    if query.text.len() > QUERY_MAX {
        return Err(ReadFailure::new("query_too_long", format!("a query has at most {QUERY_MAX} bytes")));
    }
    if query.fields.len() > FIELDS_MAX {
        return Err(ReadFailure::new("too_many_fields", format!("a query names at most {FIELDS_MAX} fields")));
    }
    for field in &query.fields {
        if !FIELDS.contains(&field.field.as_str()) {
            return Err(ReadFailure::new("unknown_field", format!("specs have no field {:?}", field.field)));
        }
        if !(0.0..=WEIGHT_MAX).contains(&field.weight) {
            return Err(ReadFailure::new("bad_weight", format!("{} is weighted {}", field.field, field.weight)));
        }
    }
    Ok(())
}

fn check_listing(listing: &specs::Listing) -> Result<(), ReadFailure> {
    if listing.filter.len() > FILTERS_MAX {
        return Err(ReadFailure::new("too_many_filters", format!("a listing has at most {FILTERS_MAX} filters")));
    }
    if listing.filter.iter().any(|filter| filter.value.len() > FILTER_MAX) {
        return Err(ReadFailure::new("filter_too_long", format!("a filter has at most {FILTER_MAX} bytes")));
    }
    match listing.filter.iter().find(|filter| !FILTERS.contains(&filter.key.as_str())) {
        Some(filter) => Err(ReadFailure::new("unknown_filter", format!("specs cannot be listed by {:?}", filter.key))),
        None => Ok(()),
    }
}

fn meta_size(spec: &SpecMeta) -> usize {
    let tags: usize = spec.tags.iter().map(String::len).sum();
    let extra: usize = spec.extra.iter().map(|attr| attr.key.len() + attr.value.len()).sum();
    spec.id.len() + spec.path.len() + spec.title.len() + spec.revision.len() + tags + extra
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str, fields: &[(&str, f32)]) -> Option<String> {
        let field = |(field, weight): &(&str, f32)| specs::FieldWeight { field: (*field).to_owned(), weight: *weight };
        let fields = fields.iter().map(field).collect();
        let query = specs::Query { text: text.to_owned(), fields, limit: 9, extra: Vec::new() };
        check_query(&query).err().map(|failure| failure.code)
    }

    fn listing(filters: &[&str]) -> Option<String> {
        let filter = filters.iter().map(|key| types::Attr { key: (*key).to_owned(), value: "x".to_owned() }).collect();
        let listing = specs::Listing { cursor: None, limit: 9, filter };
        check_listing(&listing).err().map(|failure| failure.code)
    }

    #[test]
    fn a_query_within_bounds_is_let_through_and_any_other_named() {
        for (text, fields, code) in [
            ("x".repeat(QUERY_MAX), vec![("body", 0.0); FIELDS_MAX], None),
            ("x".repeat(QUERY_MAX + 1), vec![], Some("query_too_long")),
            ("x".to_owned(), vec![("body", 1.0); FIELDS_MAX + 1], Some("too_many_fields")),
            ("x".to_owned(), vec![("colour", 1.0)], Some("unknown_field")),
            ("x".to_owned(), vec![("body", f32::NAN)], Some("bad_weight")),
        ] {
            assert_eq!(query(&text, &fields).as_deref(), code);
        }
    }

    #[test]
    fn a_listing_has_few_filters_and_only_known_ones() {
        assert_eq!(listing(&["tag"; FILTERS_MAX]), None);
        assert_eq!(listing(&["tag"; FILTERS_MAX + 1]).as_deref(), Some("too_many_filters"));
        assert_eq!(listing(&["attribute"]), None);
        assert_eq!(listing(&["path-prefix", "colour"]).as_deref(), Some("unknown_filter"));
        let filter = vec![types::Attr { key: "attribute".to_owned(), value: "x".repeat(FILTER_MAX + 1) }];
        let failure = check_listing(&specs::Listing { cursor: None, limit: 9, filter }).unwrap_err();
        assert_eq!(failure.code, "filter_too_long");
    }
}
