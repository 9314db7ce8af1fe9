//! `trust_show` and `trust`: what of a project can act is shown, and allowed as it was shown.
//!
//! Nothing of the project runs for it. A repository names its parts as it likes and as long as it likes: what is told of
//! them is cut, what is allowed is the digest of all of it.

use super::failure::Failure;
use super::state::Engine;
use crate::projects::{Part, Project, ProjectError, Standing};
use pu_protocol::trust::{PartState, SpecSource, TrustPart, TrustReport};
use pu_protocol::{Answer, LINE_MAX};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// As much of a part as is told, in bytes; where that makes the answer too long, less of each.
const DETAIL_MAX: [usize; 4] = [2_000, 500, 100, 0];
const NAME_MAX: usize = 200;
/// As many sources and gone parts as are named.
const LIST_MAX: usize = 64;
/// Bytes of the line for what stands around them.
const SPARE: usize = 16 * 1024;

impl Engine {
    pub(super) async fn trust_show(&self, cwd: PathBuf) -> Result<Answer, Failure> {
        let (projects, folder) = (self.projects.clone(), cwd.clone());
        // The index of a project that nobody has looked at yet is built for it.
        self.slowly_within(&cwd, move || Ok(answer(&projects.standing(&folder)?))).await?
    }

    pub(super) async fn trust(&self, cwd: PathBuf, digest: String) -> Result<Answer, Failure> {
        let (projects, folder) = (self.projects.clone(), cwd.clone());
        self.slowly_within(&cwd, move || Ok(answer(&projects.trust(&folder, &digest)?))).await?
    }
}

/// What is told of the parts of a project.
pub(super) fn told(parts: &[(Part, PartState)]) -> Vec<TrustPart> {
    DETAIL_MAX
        .into_iter()
        .map(|most| parts.iter().map(|(part, state)| told_part(part, *state, most)).collect::<Vec<TrustPart>>())
        .find(|told: &Vec<TrustPart>| serde_json::to_vec(told).is_ok_and(|json| json.len() <= LINE_MAX / 2 - SPARE))
        .unwrap_or_else(|| parts.iter().map(|(part, state)| unnamed(part, *state)).collect())
}

pub(super) fn answer(standing: &Standing) -> Answer {
    let project = &standing.project;
    // What is shown is what is in force, and that is not what a faulty file says.
    let fault = project.config_fault().map(|fault| cut(&fault, NAME_MAX * 4));
    let (sources, warnings) = match sources(project) {
        Ok(sources) => (sources, fault.into_iter().collect()),
        Err(error) => (Vec::new(), vec![cut(&format!("its specs cannot be read: {error}"), NAME_MAX * 4)]),
    };
    Answer::TrustReport(Box::new(TrustReport {
        root: project.root.clone(),
        name: project.name.clone(),
        state: standing.state,
        digest: standing.digest.clone(),
        parts: told(&standing.parts),
        gone: standing.gone.iter().take(LIST_MAX).map(|part| cut(part, NAME_MAX)).collect(),
        sources,
        warnings,
        trusted_at: standing.trusted_at.clone(),
    }))
}

/// Where the specs lie that its agents would be given: by the first step of their paths, most specs first.
fn sources(project: &Project) -> Result<Vec<SpecSource>, ProjectError> {
    let index = project.index()?;
    index.fresh().map_err(|source| ProjectError::Index { root: project.root.clone(), source })?;
    let mut specs_at: BTreeMap<String, u32> = BTreeMap::new();
    for spec in index.catalog().specs() {
        let place = spec.path.split_once('/').map_or_else(|| spec.path.clone(), |(folder, _)| format!("{folder}/"));
        *specs_at.entry(cut(&place, NAME_MAX)).or_default() += 1;
    }
    let mut sources: Vec<SpecSource> = specs_at.into_iter().map(|(path, specs)| SpecSource { path, specs }).collect();
    sources.sort_by(|a, b| b.specs.cmp(&a.specs).then_with(|| a.path.cmp(&b.path)));
    let rest: u32 = sources.iter().skip(LIST_MAX).map(|source| source.specs).sum();
    sources.truncate(LIST_MAX);
    if rest > 0 {
        sources.push(SpecSource { path: "elsewhere".to_owned(), specs: rest });
    }
    Ok(sources)
}

fn told_part(part: &Part, state: PartState, most: usize) -> TrustPart {
    TrustPart {
        kind: part.kind,
        name: cut(&part.name, NAME_MAX),
        file: cut(&part.file, NAME_MAX),
        detail: cut(&part.detail, most),
        digest: cut(&part.digest, NAME_MAX),
        state,
    }
}

/// Where there is no room even for names, which then are nothing but a nuisance.
fn unnamed(part: &Part, state: PartState) -> TrustPart {
    TrustPart { kind: part.kind, digest: cut(&part.digest, 64), state, ..TrustPart::default() }
}

/// The beginning of a text, and how much more there is.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let kept = &text[..text.floor_char_boundary(most)];
    format!("{kept}… ({} bytes more)", text.len() - kept.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, detail: &str) -> (Part, PartState) {
        let part = Part {
            kind: pu_protocol::trust::TrustKind::Agent,
            name: name.into(),
            file: ".pu/config.toml".into(),
            detail: detail.into(),
            runs: String::new(),
            digest: "ab".repeat(32),
        };
        (part, PartState::New)
    }

    #[test]
    fn what_is_told_of_a_part_says_how_much_more_there_is() {
        let told = told(&[part("own", &"x".repeat(3_000))]);
        assert!(told[0].detail.ends_with("x… (1000 bytes more)"), "{}", told[0].detail);
        assert_eq!((told[0].name.as_str(), told[0].digest.len()), ("own", 64));
    }

    #[test]
    fn whatever_parts_are_called_the_answer_fits_a_line() {
        for (name, detail) in [("a", "x"), ("a", "\u{1b}"), ("\u{1b}", "\u{1b}")] {
            let parts: Vec<_> = (0..500).map(|_| part(&name.repeat(5_000), &detail.repeat(9_000))).collect();
            let told = told(&parts);
            assert_eq!(told.len(), 500);
            assert!(serde_json::to_vec(&told).unwrap().len() < LINE_MAX / 2);
        }
    }
}
