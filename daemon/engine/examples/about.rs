//! Writes down what speaks for the best hit of each task being about it, for whoever fits the weights of `Evidence`.
//!
//!     about PROJECT_DIR INDEX_DIR QUERIES.jsonl OUT.jsonl
//!
//! QUERIES has a JSON object a line with `_id` and `text`; OUT gets one with `id`, `path`, `about` and the figures.

use std::io::Write as _;
use std::path::Path;

use pu_engine::specs::{SearchQuery, SourceConfig, SpecIndex};

#[derive(serde::Deserialize)]
struct Task {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [project, index_dir, queries, out] = args.as_slice() else {
        return Err("usage: about PROJECT_DIR INDEX_DIR QUERIES.jsonl OUT.jsonl".into());
    };
    let index = SpecIndex::open(Path::new(project), Path::new(index_dir), SourceConfig::default())?;
    index.fresh()?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(out)?);
    for line in std::fs::read_to_string(queries)?.lines() {
        let task: Task = serde_json::from_str(line)?;
        let hits = index.search(&SearchQuery { text: task.text, fields: Vec::new(), limit: 10 })?;
        let Some(best) = hits.first() else { continue };
        let Some(evidence) = best.evidence else { continue };
        let mut row = serde_json::json!({"id": task.id, "path": best.spec.path, "about": evidence.about()});
        row["figures"] = serde_json::to_value(evidence)?;
        writeln!(out, "{row}")?;
    }
    Ok(())
}
