//! What each case came to, for people: printed at the end of a test that passed.

pub(crate) struct Table {
    title: &'static str,
    rows: Vec<[String; 3]>,
}

impl Table {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, rows: Vec::new() }
    }

    /// One case: where, what the user saw, what was left.
    pub(crate) fn row(&mut self, place: &dyn std::fmt::Display, shown: &str, left: &str) {
        let shown: String = shown.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        self.rows.push([place.to_string(), shown.replace('|', "\\|"), left.to_owned()]);
    }

    pub(crate) fn show(&self) {
        println!("\n{} ({} cases)\n\n| where | shown | left behind |\n|---|---|---|", self.title, self.rows.len());
        for [place, shown, left] in &self.rows {
            println!("| {place} | {shown} | {left} |");
        }
    }
}

/// The message of an error that was told as JSON, else all that was told.
pub(crate) fn told(stderr: &str) -> String {
    let error = serde_json::from_str::<serde_json::Value>(stderr.trim()).ok();
    error.and_then(|error| Some(error["message"].as_str()?.to_owned())).unwrap_or_else(|| stderr.to_owned())
}
