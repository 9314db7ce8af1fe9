//! What the specs that a task names link to: weak picks, since a link says only that somebody thought of the other.

use pu_plugin_sdk::{Failure, Specs};

use crate::choices::Choices;
use crate::config::Config;
use crate::named;

/// Bytes of a spec that are looked at for links.
const READ: u32 = 32 * 1024;
/// Links of one spec that are followed.
const LINKS: usize = 16;

/// Adds what the best choices link to.
pub(crate) fn choose(config: &Config, specs: &dyn Specs, choices: &mut Choices) -> Result<(), Failure> {
    for (id, path) in choices.leading_on(config.link_sources) {
        let text = specs.read_range(&id, 0, READ)?.text;
        for target in targets(&text, &path) {
            if let Some(spec) = named::find(specs, &target)?
                && !choices.has(&spec.id)
            {
                choices.add(spec, config.link_score, format!("linked from {path}"), false);
            }
        }
    }
    Ok(())
}

/// The files that a text links to, relative to the project; each once. Links out of the project and onto the web are not
/// among them.
fn targets(text: &str, path: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut targets = Vec::new();
    for (at, _) in text.match_indices("](") {
        let Some((target, _)) = text[at + 2..].split_once(')') else { break };
        // A title may stand behind the target: `[a](b.md "the other")`.
        let target = target.trim();
        let target = match target.strip_prefix('<') {
            Some(inner) => inner.split('>').next(),
            None => target.split([' ', '\n']).next(),
        };
        let target = target.unwrap_or_default().split(['#', '?']).next().unwrap_or_default();
        if target.is_empty() || target.contains(':') {
            continue;
        }
        if let Some(target) = resolved(folder, target)
            && target != path
            && !targets.contains(&target)
        {
            targets.push(target);
        }
        if targets.len() == LINKS {
            break;
        }
    }
    targets
}

/// A path of the project, from a folder of it; `None` where it leads out.
fn resolved(folder: &str, target: &str) -> Option<String> {
    let (from, target) = target.strip_prefix('/').map_or((folder, target), |absolute| ("", absolute));
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_resolved_and_those_that_lead_out_are_not() {
        let text = "See [a](a.md), [b](../adr/b.md#part \"B\"), [a again](./a.md), [c](</root c.md>), [d](/top.md)\n\
                    [web](https://example.invalid/x.md) [out](../../x.md) [here](#part) [self](spec.md) [open](x";
        assert_eq!(targets(text, "docs/spec.md"), ["docs/a.md", "adr/b.md", "root c.md", "top.md"]);
    }

    #[test]
    fn a_text_full_of_links_is_bounded() {
        let text: String = (0..100).map(|n| format!("[x]({n}.md) ")).collect();
        assert_eq!(targets(&text, "a.md").len(), LINKS);
    }
}
