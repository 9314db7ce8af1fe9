//! Makes `src/specs/rank/common_words.tsv`: how common each word is among the specs of several projects.
//!
//!     common_words FOLDER... > common_words.tsv
//!
//! Each folder holds the specs of one project. A word's share is the mean over the projects but that which has it most
//! often: the jargon of one project is no common word. Only words and counts get out, nothing of the texts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// In how many of 10,000 specs a word must be.
const LEAST: f64 = 40.0;

#[allow(clippy::print_stdout, reason = "a development tool that writes to standard output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if folders.len() < 2 {
        return Err("usage: common_words FOLDER FOLDER... > common_words.tsv".into());
    }
    let mut shares: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (n, folder) in folders.iter().enumerate() {
        let (mut texts, mut counts) = (0_u32, BTreeMap::<String, u32>::new());
        visit(folder, &mut |text| {
            texts += 1;
            for word in pu_engine::specs::words(text) {
                *counts.entry(word).or_default() += 1;
            }
        })?;
        for (word, count) in counts {
            shares.entry(word).or_insert_with(|| vec![0.0; folders.len()])[n] = f64::from(count) / f64::from(texts);
        }
    }
    for (word, shares) in shares {
        let most = shares.iter().copied().fold(0.0, f64::max);
        let of_10_000 = (shares.iter().sum::<f64>() - most) / (shares.len() - 1) as f64 * 10_000.0;
        if of_10_000 >= LEAST {
            println!("{word}\t{of_10_000:.0}");
        }
    }
    Ok(())
}

fn visit(folder: &Path, take: &mut dyn FnMut(&str)) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            visit(&path, take)?;
        } else {
            take(&String::from_utf8_lossy(&std::fs::read(&path)?));
        }
    }
    Ok(())
}
