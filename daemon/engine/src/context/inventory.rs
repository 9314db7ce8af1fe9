//! Which plugins a project has: its chain, what is switched off, what lies ready, what is pinned and gone.
//!
//! It reads components and inspects them; it compiles none and runs none, so that it may look at a project that nobody
//! trusts.

use std::path::Path;

use pu_protocol::context::AssemblerError;
use pu_protocol::plugin::{Pin, PluginInfo, PluginOrigin};

use super::config::{AssemblerConfig, ContextConfig};
use super::engine::{ContextEngine, Places};
use super::error::ContextError;
use super::grants;
use super::lineup::{self, Link, PluginFile};
use super::loader::{check_config, source_of, told};
use super::pins::{Pinned, Pins, pinned_as};
use crate::plugins::{Grant, Inspection, PluginSource, config_misfit, inspect, sha256};
use crate::store::PluginPin;

impl ContextEngine {
    /// The plugins of the project at `root`, the chain first and in its order. Blocks.
    pub fn plugins(&self, root: &Path, config: &ContextConfig) -> Result<Vec<PluginInfo>, ContextError> {
        config.check().map_err(|unfit| ContextError::Config(unfit.message))?;
        let places = self.places(root);
        let pins = Pins::read(&places.layout);
        let links = self.links(&places, config)?;
        let mut infos: Vec<PluginInfo> =
            links.iter().map(|(link, in_chain)| self.info(link, *in_chain, &pins, &places)).collect();
        for pin in pins.all() {
            let place = pins.place(pin);
            let is_told = |info: &PluginInfo| {
                let same = info.path.as_ref().is_some_and(|path| place.canonicalize().is_ok_and(|real| real == *path));
                same || (info.name == pin.name && info.pin != Pin::None)
            };
            if !infos.iter().any(is_told) {
                infos.push(self.pinned_only(pin, &pins, &places));
            }
        }
        Ok(infos)
    }

    /// The chain as it is in force, with what is switched off: the configured one, or the default one written out.
    pub fn chain(&self, root: &Path, config: &ContextConfig) -> Result<Vec<AssemblerConfig>, ContextError> {
        let chain = lineup::whole_line_up(config, &self.places(root).folders())?;
        Ok(chain.into_iter().map(|link| link.config).collect())
    }

    /// Lets a plugin be asked again in a project where it was set aside: somebody who looked at it says so.
    pub fn ask_again(&self, root: &Path, digest: &str) {
        self.loader.tallies().forgive(root, digest);
    }

    /// Where the component of a plugin of the project comes from, by its name.
    pub fn plugin_source(
        &self,
        root: &Path,
        config: &ContextConfig,
        named: &str,
    ) -> Result<PluginSource, ContextError> {
        let link = self.link(&self.places(root), config, named)?;
        source_of(&link.plugin).map_err(|failure| ContextError::PluginRefused { plugin: named.to_owned(), failure })
    }

    pub(super) fn link(&self, places: &Places, config: &ContextConfig, named: &str) -> Result<Link, ContextError> {
        let links = self.links(places, config)?;
        let known = links.iter().map(|(link, _)| link.config.name.clone()).collect();
        let found = links.into_iter().map(|(link, _)| link).find(|link| link.config.name == named);
        found.ok_or_else(|| ContextError::PluginNotFound { name: named.to_owned(), root: places.root.clone(), known })
    }

    /// The chain with what is switched off, and behind it what lies ready for a chain that does not name it; with whether
    /// each is in the chain.
    fn links(&self, places: &Places, config: &ContextConfig) -> Result<Vec<(Link, bool)>, ContextError> {
        let folders = places.folders();
        let chain = lineup::whole_line_up(config, &folders)?;
        let with_state = |link: Link| {
            let in_chain = link.config.enabled;
            (link, in_chain)
        };
        let mut all: Vec<(Link, bool)> = chain.into_iter().map(with_state).collect();
        if config.assemblers.is_some() {
            for ready in lineup::default_chain(&folders)? {
                let is_known =
                    |(link, _): &(Link, bool)| link.config.name == ready.config.name || link.plugin == ready.plugin;
                if !all.iter().any(is_known) {
                    all.push((ready, false));
                }
            }
        }
        Ok(all)
    }

    fn info(&self, link: &Link, enabled: bool, pins: &Pins, places: &Places) -> PluginInfo {
        let mut info = PluginInfo {
            name: link.config.name.clone(),
            enabled,
            grants: grants::words(&link.config.grants),
            ..PluginInfo::default()
        };
        (info.origin, info.path) = match &link.plugin {
            PluginFile::Bundled(_) => (PluginOrigin::Bundled, None),
            PluginFile::At(path) | PluginFile::Outside(path) => (places.origin(path), Some(path.clone())),
            PluginFile::Missing(_) => (PluginOrigin::Project, None),
        };
        let pinned = pins.of(link);
        let looked = source_of(&link.plugin).and_then(|source| self.look(&mut info, &source, &pinned, places));
        // What is not in the chain would run with another configuration, or with none.
        let fits = |inspection: Inspection| {
            grants::check(&Grant::needed(&inspection.imports), &link.config, &places.config_files)?;
            let config = places.config_files.maps.added_to(&link.config)?;
            check_config(|value| config_misfit(&inspection.manifest, value), &config, &places.config_files)
        };
        info.error = if enabled { looked.and_then(fits).err() } else { looked.err() };
        if let (PluginFile::Missing(_), Pinned::As(_)) = (&link.plugin, &pinned) {
            info.pin = Pin::Missing;
        }
        if info.error.is_none() && !link.config.required {
            info.error = self.loader.tallies().set_aside(&places.root, &info.digest);
        }
        info
    }

    /// Fills in what the component and the pin say; fails with the first reason why it cannot run, whatever its
    /// configuration is.
    fn look(
        &self,
        info: &mut PluginInfo,
        source: &PluginSource,
        pinned: &Pinned,
        places: &Places,
    ) -> Result<Inspection, AssemblerError> {
        if let (Pinned::As(_), PluginSource::File(_)) = (pinned, source) {
            // What cannot be read is not what was pinned.
            info.pin = Pin::Differs;
        }
        let bytes = source.read().map_err(|failure| told(&failure))?;
        info.digest = sha256(&bytes);
        info.tally = self.loader.tallies().of(&places.root, &info.digest);
        let inspected = inspect(&bytes);
        if let Ok(inspection) = &inspected {
            info.version.clone_from(&inspection.manifest.version);
            info.description.clone_from(&inspection.manifest.description);
            info.needs = grants::words(&Grant::needed(&inspection.imports));
        }
        match pinned {
            Pinned::No => {}
            Pinned::Unknown(why) => return Err(AssemblerError { code: "lock_damaged".into(), message: why.clone() }),
            Pinned::As(pin) => {
                let imports: &[String] = inspected.as_ref().map_or(&[], |found| found.imports.as_slice());
                info.pin = if pin.holds(&info.digest, imports) { Pin::Matches } else { Pin::Differs };
                pin.check(&info.digest, imports, source).map_err(|failure| told(&failure))?;
            }
        }
        let inspection = inspected.map_err(|failure| told(&failure))?;
        self.loader.last_failure(source, &info.digest).map_or(Ok(inspection), Err)
    }

    /// A pin that nothing of the chain and nothing in the folders is meant by.
    fn pinned_only(&self, pin: &PluginPin, pins: &Pins, places: &Places) -> PluginInfo {
        let mut info = PluginInfo {
            name: pin.name.clone(),
            origin: PluginOrigin::Project,
            version: pin.version.clone(),
            pin: Pin::Missing,
            ..PluginInfo::default()
        };
        let place = pins.place(pin);
        info.path = Some(place.clone());
        if let Ok(real) = place.canonicalize()
            && lineup::inside(&real, &places.folders())
        {
            let pinned = Pinned::As(pinned_as(pin));
            info.error = self.look(&mut info, &PluginSource::File(real), &pinned, places).err();
        }
        info
    }
}

impl Places {
    fn origin(&self, path: &Path) -> PluginOrigin {
        let is_in = |folder: &Path| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder));
        // A home may lie in the project, or the project in the home: the plugin folders decide first.
        if is_in(&self.layout.plugins()) || (is_in(&self.root) && !is_in(&self.home_plugins)) {
            return PluginOrigin::Project;
        }
        PluginOrigin::Home
    }
}
