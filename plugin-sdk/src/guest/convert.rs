//! Generated types to plain ones and back, field by field. No judgement here.

use super::bindings::purepoint::context::{history as wire_history, specs as wire_specs, types as wire};
use crate::history::{self, PastTask};
use crate::{
    Assembly, Attr, ChangedFile, Chunk, Failure, FieldWeight, Hit, Label, Listing, Page, Pick, Query, SpecMeta, Task,
};

fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

fn all_of<'a, A, B: From<&'a A>>(items: &'a [A]) -> Vec<B> {
    items.iter().map(B::from).collect()
}

impl From<wire::Attr> for Attr {
    fn from(attr: wire::Attr) -> Self {
        Self { key: attr.key, value: attr.value }
    }
}

impl From<Attr> for wire::Attr {
    fn from(attr: Attr) -> Self {
        Self { key: attr.key, value: attr.value }
    }
}

impl From<&Attr> for wire::Attr {
    fn from(attr: &Attr) -> Self {
        attr.clone().into()
    }
}

impl From<wire::Label> for Label {
    fn from(label: wire::Label) -> Self {
        Self { name: label.name, confidence: label.confidence }
    }
}

impl From<Label> for wire::Label {
    fn from(label: Label) -> Self {
        Self { name: label.name, confidence: label.confidence }
    }
}

impl From<wire::ChangedFile> for ChangedFile {
    fn from(file: wire::ChangedFile) -> Self {
        Self { path: file.path, status: file.status }
    }
}

impl From<wire::Task> for Task {
    fn from(task: wire::Task) -> Self {
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

impl From<wire::SpecMeta> for SpecMeta {
    fn from(spec: wire::SpecMeta) -> Self {
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

impl From<wire::Hit> for Hit {
    fn from(hit: wire::Hit) -> Self {
        Self { spec: hit.spec.into(), section: hit.section, score: hit.score, extra: all(hit.extra) }
    }
}

impl From<Pick> for wire::Pick {
    fn from(pick: Pick) -> Self {
        Self { spec: pick.spec, section: pick.section, score: pick.score, reason: pick.reason, extra: all(pick.extra) }
    }
}

impl From<Assembly> for wire::Assembly {
    fn from(assembly: Assembly) -> Self {
        Self { labels: all(assembly.labels), picks: all(assembly.picks), notes: assembly.notes }
    }
}

impl From<wire::Failure> for Failure {
    fn from(failure: wire::Failure) -> Self {
        Self { code: failure.code, message: failure.message }
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, message: failure.message }
    }
}

impl From<&FieldWeight> for wire_specs::FieldWeight {
    fn from(field: &FieldWeight) -> Self {
        Self { field: field.field.clone(), weight: field.weight }
    }
}

impl From<&Query> for wire_specs::Query {
    fn from(query: &Query) -> Self {
        Self {
            text: query.text.clone(),
            fields: all_of(&query.fields),
            limit: query.limit,
            extra: all_of(&query.extra),
        }
    }
}

impl From<&Listing> for wire_specs::Listing {
    fn from(listing: &Listing) -> Self {
        Self { cursor: listing.cursor.clone(), limit: listing.limit, filter: all_of(&listing.filter) }
    }
}

impl From<wire_specs::Page> for Page {
    fn from(page: wire_specs::Page) -> Self {
        Self { specs: all(page.specs), next: page.next }
    }
}

impl From<wire_specs::Chunk> for Chunk {
    fn from(chunk: wire_specs::Chunk) -> Self {
        Self { text: chunk.text, offset: chunk.offset, next: chunk.next }
    }
}

impl From<&history::Query> for wire_history::Query {
    fn from(query: &history::Query) -> Self {
        Self { cursor: query.cursor.clone(), limit: query.limit, extra: all_of(&query.extra) }
    }
}

impl From<wire_history::PastTask> for PastTask {
    fn from(task: wire_history::PastTask) -> Self {
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

impl From<wire_history::Page> for history::Page {
    fn from(page: wire_history::Page) -> Self {
        Self { tasks: all(page.tasks), next: page.next }
    }
}
