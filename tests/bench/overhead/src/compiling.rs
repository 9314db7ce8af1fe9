//! Makes the plugins, and has each compiled for the first time: by the compiler's child process, as at an install.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use pu_engine::plugins::bundled;

use crate::figure::{tell, timed, times};
use crate::guest;
use crate::site::{Kind, Site, keyword, plugin_name};

pub(crate) fn run(site: &Site) -> Result<()> {
    make(site)?;
    let host = site.host()?;
    // What a first start of this host costs is no plugin's.
    host.prepare(fs::read(site.searching())?)?;
    let (first, _) = timed(|| host.load(&keyword()))?;
    times("compile.first", &[first]);
    for kind in Kind::ALL {
        let mut sample = Vec::new();
        let mut bytes = 0;
        for number in 0..kind.count() {
            let component = fs::read(site.plugin(kind, number))?;
            bytes = component.len();
            sample.push(timed(|| host.prepare(component))?.0);
        }
        times(&format!("compile.{}", kind.name()), &sample);
        tell(&format!("bytes.{}", kind.name()), &bytes);
    }
    Ok(())
}

fn make(site: &Site) -> Result<()> {
    let folder = site.plugins();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    keep(&site.searching(), &guest::searching("searching")?)?;
    let original = bundled().iter().find(|plugin| plugin.name == "keyword").context("keyword is not bundled")?;
    for kind in Kind::ALL {
        for number in 0..kind.count() {
            let name = plugin_name(kind, number);
            let component = match kind {
                Kind::Small => guest::empty(&name)?,
                Kind::Bundled => [original.bytes, &custom_section(&name)].concat(),
            };
            keep(&site.plugin(kind, number), &component)?;
        }
    }
    Ok(())
}

/// A custom section without content, of a short name: another digest, and nothing else.
fn custom_section(name: &str) -> Vec<u8> {
    let length = name.len() as u8;
    [[0, length + 1, length].as_slice(), name.as_bytes()].concat()
}

#[allow(clippy::disallowed_methods, reason = "a file that nobody reads meanwhile")]
fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_engine::plugins::inspect;

    #[test]
    fn a_section_behind_it_leaves_a_plugin_what_it_is() {
        let plugin = &bundled()[0];
        let longer = [plugin.bytes, &custom_section("bundled-007")].concat();
        let (before, after) = (inspect(plugin.bytes).unwrap(), inspect(&longer).unwrap());
        assert_eq!((before.manifest, before.imports), (after.manifest, after.imports));
    }
}
