//! Bindings of `purepoint:context@0.1`, and the way from their types to the daemon's own and back, field by field.
//!
//! They are of the newest 0.1.x and of its largest world. A plugin that was built against an earlier one imports less, in
//! the same shapes: the linker takes what has the same name up to the last figure of the version.
//!
//! A later version of the contract gets a module like this one; nothing outside knows which version a plugin speaks.

use super::contract::{
    Assembly, Attr, ChangedFile, Chunk, FieldWeight, Hit, Label, Listing, Page, PastTask, Pick, Query, ReadFailure,
    SpecMeta, Task,
};

#[allow(unreachable_pub, unused_qualifications, clippy::all, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit",
        world: "assembler-with-memory",
        imports: { default: trappable },
    });
}

pub(super) use generated::purepoint::context::types::{Assembly as WireAssembly, Failure as WireFailure};
pub(super) use generated::purepoint::context::{config, history, log, specs, state, types};
pub(super) use generated::{AssemblerWithMemory as Assembler, AssemblerWithMemoryPre as AssemblerPre};

pub(super) fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

impl From<Attr> for types::Attr {
    fn from(attr: Attr) -> Self {
        Self { key: attr.key, value: attr.value }
    }
}

impl From<types::Attr> for Attr {
    fn from(attr: types::Attr) -> Self {
        Self { key: attr.key, value: attr.value }
    }
}

impl From<Label> for types::Label {
    fn from(label: Label) -> Self {
        Self { name: label.name, confidence: label.confidence }
    }
}

impl From<types::Label> for Label {
    fn from(label: types::Label) -> Self {
        Self { name: label.name, confidence: label.confidence }
    }
}

impl From<ChangedFile> for types::ChangedFile {
    fn from(file: ChangedFile) -> Self {
        Self { path: file.path, status: file.status }
    }
}

impl From<Task> for types::Task {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            prompt: task.prompt,
            tags: task.tags,
            agent: task.agent,
            template: task.template,
            branch: task.branch,
            mentioned_files: task.mentioned_files,
            changed_files: all(task.changed_files),
            languages: task.languages,
            labels: all(task.labels),
            extra: all(task.extra),
        }
    }
}

impl From<SpecMeta> for types::SpecMeta {
    fn from(spec: SpecMeta) -> Self {
        Self {
            id: spec.id,
            path: spec.path,
            title: spec.title,
            tags: spec.tags,
            revision: spec.revision,
            tokens: spec.tokens,
            extra: all(spec.extra),
        }
    }
}

impl From<Hit> for types::Hit {
    fn from(hit: Hit) -> Self {
        Self { spec: hit.spec.into(), section: hit.section, score: hit.score, extra: all(hit.extra) }
    }
}

impl From<types::Pick> for Pick {
    fn from(pick: types::Pick) -> Self {
        Self { spec: pick.spec, section: pick.section, score: pick.score, reason: pick.reason, extra: all(pick.extra) }
    }
}

impl From<WireAssembly> for Assembly {
    fn from(assembly: WireAssembly) -> Self {
        Self { labels: all(assembly.labels), picks: all(assembly.picks), notes: assembly.notes }
    }
}

impl From<ReadFailure> for WireFailure {
    fn from(failure: ReadFailure) -> Self {
        Self { code: failure.code, message: failure.message }
    }
}

impl From<specs::FieldWeight> for FieldWeight {
    fn from(field: specs::FieldWeight) -> Self {
        Self { field: field.field, weight: field.weight }
    }
}

impl From<specs::Query> for Query {
    fn from(query: specs::Query) -> Self {
        Self { text: query.text, fields: all(query.fields), limit: query.limit, extra: all(query.extra) }
    }
}

impl From<specs::Listing> for Listing {
    fn from(listing: specs::Listing) -> Self {
        Self { cursor: listing.cursor, limit: listing.limit, filter: all(listing.filter) }
    }
}

impl From<Page> for specs::Page {
    fn from(page: Page) -> Self {
        Self { specs: all(page.specs), next: page.next }
    }
}

impl From<Chunk> for specs::Chunk {
    fn from(chunk: Chunk) -> Self {
        Self { text: chunk.text, offset: chunk.offset, next: chunk.next }
    }
}

impl From<PastTask> for history::PastTask {
    fn from(task: PastTask) -> Self {
        Self {
            id: task.id,
            prompt: task.prompt,
            tags: task.tags,
            agent: task.agent,
            branch: task.branch,
            outcome: task.outcome,
            exit_code: task.exit_code,
            picked: task.picked,
            touched_files: all(task.touched_files),
            started: task.started,
            extra: all(task.extra),
        }
    }
}
