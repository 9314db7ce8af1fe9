//! Tantivy alone over the files of a folder: its two default fields (the title and all of the text), a search a task.
//! `tests/bench/index` runs it and makes the table.
//!
//!     tantivy-alone FOLDER INDEX_FOLDER TASKS.json
//!
//! FOLDER is walked, INDEX_FOLDER must be there and empty, TASKS is an array of texts. One object of JSON is printed, with
//! times in seconds. It knows no sections, counts no tokens, watches nothing and explains nothing.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, STRING, Schema, TEXT};
use tantivy::{Index, IndexWriter, TantivyDocument};

type Outcome<T> = Result<T, Box<dyn Error>>;

const MEMORY: usize = 200 << 20;
/// As many as a plugin asks the spec index for.
const HITS: usize = 60;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, index, tasks] = args.as_slice() else {
        return Err("usage: tantivy-alone FOLDER INDEX_FOLDER TASKS.json".into());
    };
    let tasks: Vec<String> = serde_json::from_str(&fs::read_to_string(tasks)?)?;
    let start = Instant::now();
    let documents = build(Path::new(folder), Path::new(index))?;
    let built = start.elapsed().as_secs_f64();
    let (opened, times) = search(Path::new(index), &tasks)?;
    println!("{}", json!({ "documents": documents, "build": built, "open": opened, "search": times }));
    Ok(())
}

/// Indexes every file; answers how many there were.
fn build(folder: &Path, place: &Path) -> Outcome<usize> {
    let mut schema = Schema::builder();
    let path_field = schema.add_text_field("path", STRING | STORED);
    let title_field = schema.add_text_field("title", TEXT);
    let body_field = schema.add_text_field("body", TEXT);
    let index = Index::create_in_dir(place, schema.build())?;
    let mut writer: IndexWriter = index.writer(MEMORY)?;
    let files = files(folder)?;
    for file in &files {
        let text = fs::read_to_string(file)?;
        let mut document = TantivyDocument::default();
        document.add_text(path_field, file.to_string_lossy());
        document.add_text(title_field, title(&text));
        document.add_text(body_field, &text);
        writer.add_document(document)?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    Ok(files.len())
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What the header calls the title, else the first line with a letter in it.
fn title(text: &str) -> &str {
    let said = text.lines().take(20).find_map(|line| line.to_ascii_lowercase().starts_with("title:").then_some(line));
    let first = || text.lines().find(|line| line.contains(char::is_alphabetic));
    said.or_else(first).unwrap_or_default()
}

/// The seconds until the first task is answered by an index that was closed, and what each task takes once it is open.
fn search(place: &Path, tasks: &[String]) -> Outcome<(f64, Vec<f64>)> {
    let start = Instant::now();
    let index = Index::open_in_dir(place)?;
    let schema = index.schema();
    let parser = QueryParser::for_index(&index, vec![schema.get_field("title")?, schema.get_field("body")?]);
    let path_field = schema.get_field("path")?;
    let searcher = index.reader()?.searcher();
    let ask = |task: &str| -> Outcome<f64> {
        let start = Instant::now();
        let (query, _) = parser.parse_query_lenient(&words(task));
        for (_, address) in searcher.search(&query, &TopDocs::with_limit(HITS).order_by_score())? {
            let document: TantivyDocument = searcher.doc(address)?;
            std::hint::black_box(document.get_first(path_field));
        }
        Ok(start.elapsed().as_secs_f64())
    };
    if let Some(task) = tasks.first() {
        ask(task)?;
    }
    let opened = start.elapsed().as_secs_f64();
    let times = tasks.iter().map(|task| ask(task)).collect::<Outcome<Vec<f64>>>()?;
    Ok((opened, times))
}

/// The task without what is an operator to the parser.
fn words(task: &str) -> String {
    task.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ")
}
