//! `spec_search`: what the index finds for a text, with the scores and words that plugins get.

use super::{Engine, Failure, NAME_MAX, ROOM, TEXT_MAX, cut, failure, first_that_fit};
use crate::specs::{SearchQuery, SpecHit};
use pu_protocol::Answer;
use pu_protocol::spec::{FieldScore, SectionScore, SpecMatch};
use std::collections::BTreeMap;
use std::path::PathBuf;

const LIMIT: u32 = 10;
const LIMIT_MAX: u32 = 200;

impl Engine {
    pub(in crate::engine) async fn spec_search(
        &self,
        cwd: PathBuf,
        text: String,
        fields: BTreeMap<String, f32>,
        limit: Option<u32>,
    ) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        let found = self.slowly_within(&cwd, move || -> Result<Answer, Failure> {
            let (_, index) = engine.looked_at(&folder)?;
            let limit = limit.unwrap_or(LIMIT).min(LIMIT_MAX) as usize;
            let query = SearchQuery { text, fields: fields.into_iter().collect(), limit };
            let hits = index.search(&query).map_err(|error| failure(&index, error))?;
            let (hits, _) = first_that_fit(hits.into_iter().map(told), ROOM);
            Ok(Answer::SpecSearchReport { hits })
        });
        found.await?
    }
}

fn told(hit: SpecHit) -> SpecMatch {
    let fields = hit.fields.into_iter().map(|(field, score)| FieldScore { field, score });
    let sections = hit.sections.into_iter().map(|section| SectionScore { section: section.id, score: section.score });
    SpecMatch {
        spec: cut(&hit.spec.id, TEXT_MAX),
        path: hit.spec.path.clone(),
        title: cut(&hit.spec.title, NAME_MAX),
        tokens: hit.spec.tokens,
        score: hit.score,
        matched: hit.matched.iter().map(|word| cut(word, NAME_MAX)).collect(),
        fields: fields.collect(),
        sections: sections.collect(),
    }
}
