//! The specs that are searched: from memory and without any looking, so that a search costs the copies that it hands
//! over and no more, whoever asks.

use std::collections::HashMap;

use pu_engine::plugins::{Attr, Hit, Listing, Page, Query, ReadFailure, SpecMeta, SpecReader, Task};

const SPECS: usize = 200;

pub(crate) struct Shelf {
    /// Every spec, the best first.
    hits: Vec<Hit>,
    /// Where in `hits` a spec is, by id.
    places: HashMap<String, usize>,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let hits: Vec<Hit> = (0..SPECS).map(hit).collect();
        let places = hits.iter().enumerate().map(|(place, hit)| (hit.spec.id.clone(), place)).collect();
        Self { hits, places }
    }

    fn spec(&self, id: &str) -> Result<&SpecMeta, ReadFailure> {
        let place = self.places.get(id).copied();
        let hit = place.and_then(|place| self.hits.get(place));
        hit.map(|hit| &hit.spec).ok_or_else(|| ReadFailure::new("unknown_spec", format!("there is no spec {id:?}")))
    }
}

impl SpecReader for Shelf {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure> {
        Ok(self.hits.iter().take(query.limit as usize).cloned().collect())
    }

    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure> {
        let specs = self.hits.iter().take(listing.limit as usize).map(|hit| hit.spec.clone()).collect();
        Ok(Page { specs, next: None })
    }

    fn get(&self, id: &str) -> Result<SpecMeta, ReadFailure> {
        self.spec(id).cloned()
    }

    fn read(&self, id: &str, _: Option<&str>) -> Result<String, ReadFailure> {
        self.spec(id).map(|spec| format!("# {}\n", spec.title))
    }
}

/// As much as a hit of the real index says of a spec. Half of them are sections.
fn hit(number: usize) -> Hit {
    let path = format!("specs/billing/invariant-{number:03}.md");
    let attr = |key: &str, value: String| Attr { key: key.to_owned(), value };
    let spec = SpecMeta {
        id: path.clone(),
        path,
        title: format!("What the ledger never does, part {number}"),
        tags: vec!["billing".to_owned(), "ledger".to_owned()],
        revision: format!("{number:016x}"),
        tokens: 1_200,
        extra: vec![attr("defines", format!("LEDGER-{number:03}"))],
    };
    // Eighths, which survive every way of writing a number down.
    let score = (SPECS - number) as f32 / 8.0;
    let extra = vec![attr("matched", "ledger".to_owned()), attr("score.body", format!("{score:.3}"))];
    let section = number.is_multiple_of(2).then(|| format!("invariant-{number}"));
    Hit { spec, section, score, extra }
}

/// The task of every call.
pub(crate) fn task() -> Task {
    Task {
        id: "overhead".to_owned(),
        prompt: "The ledger is out of balance after a refund\n\nFind out which entry has only one side.".to_owned(),
        tags: vec!["billing".to_owned()],
        agent: "claude".to_owned(),
        branch: Some("fix/ledger".to_owned()),
        mentioned_files: vec!["src/ledger/refund.rs".to_owned()],
        languages: vec!["rust".to_owned()],
        ..Task::default()
    }
}
