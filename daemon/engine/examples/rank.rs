//! Runs tasks against the spec index of a project and writes the ranking, for `score.py` or any TREC-like scorer.
//!
//!     rank PROJECT_DIR INDEX_DIR QUERIES.jsonl RUN.tsv [FIELD=WEIGHT]...
//!
//! QUERIES has a JSON object a line with `_id` and `text`; RUN gets `query-id<TAB>path<TAB>score`. Times go to the terminal.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pu_engine::specs::{SearchQuery, SourceConfig, SpecIndex};

#[derive(serde::Deserialize)]
struct Task {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

#[allow(clippy::print_stdout, reason = "a development tool that reports to a terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [project, index_dir, queries, run, fields @ ..] = args.as_slice() else {
        return Err("usage: rank PROJECT_DIR INDEX_DIR QUERIES.jsonl RUN.tsv [FIELD=WEIGHT]...".into());
    };
    let fields = fields.iter().map(|f| weight(f)).collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    let index = SpecIndex::open(Path::new(project), Path::new(index_dir), SourceConfig::default())?;
    let opened = start.elapsed();
    index.fresh()?;
    let specs = index.catalog().specs().len();
    println!(
        "{specs} specs, opened in {opened:?}, fresh after {:?}, {} skipped",
        start.elapsed(),
        index.skipped().len()
    );
    let mut out = std::io::BufWriter::new(std::fs::File::create(run)?);
    let mut times = Vec::new();
    for line in std::fs::read_to_string(queries)?.lines() {
        let task: Task = serde_json::from_str(line)?;
        let query = SearchQuery { text: task.text, fields: fields.clone(), limit: 50 };
        let start = Instant::now();
        let hits = index.search(&query)?;
        times.push(start.elapsed());
        for hit in hits {
            writeln!(out, "{}\t{}\t{}", task.id, hit.spec.path, hit.score)?;
        }
    }
    times.sort();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(Duration::ZERO);
    println!("{} queries: p50 {:?}, p99 {:?}", times.len(), at(0.5), at(0.99));
    Ok(())
}

fn weight(field: &str) -> Result<(String, f32), Box<dyn std::error::Error>> {
    let (name, weight) = field.split_once('=').ok_or("a field is given as NAME=WEIGHT")?;
    Ok((name.to_owned(), weight.parse()?))
}
