//! A plugin's file that is replaced while the plugin runs.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pu_engine::plugins::{Hit, Listing, Page, Query, ReadFailure, SpecMeta, SpecReader, Task, bundled};
use pu_plugin_hostile::Hostile;

use crate::world::{SPEC, World};

/// However busy the machine: the call waits here for the test.
const LONG: Duration = Duration::from_secs(60);

/// Specs that are found only once somebody let go of the other end.
struct Halting {
    specs: Arc<dyn SpecReader>,
    asked: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl SpecReader for Halting {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure> {
        let _ = self.asked.send(());
        let _ = self.go_on.lock().unwrap().recv();
        self.specs.search(query)
    }

    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure> {
        self.specs.list(listing)
    }

    fn get(&self, id: &str) -> Result<SpecMeta, ReadFailure> {
        self.specs.get(id)
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, ReadFailure> {
        self.specs.read(id, section)
    }
}

#[test]
fn the_running_call_finishes_on_the_old_one_and_the_next_has_the_new_one() {
    let world = World::new();
    let source = world.file("plugin.wasm", bundled()[0].bytes);
    let old = world.host.load(&source).unwrap();
    let (asked, is_asked) = channel();
    let (let_go, go_on) = channel::<()>();
    let reader: Arc<dyn SpecReader> =
        Arc::new(Halting { specs: Arc::clone(&world.reader), asked, go_on: Mutex::new(go_on) });
    let task = Task { prompt: "the ledger".into(), ..Task::default() };
    let report = std::thread::scope(|scope| {
        let call = scope.spawn(|| old.assemble(&task, &reader, "{}", old.deadline(), Instant::now() + LONG));
        is_asked.recv_timeout(LONG).unwrap();
        replace(&world, "plugin.wasm", &Hostile::Refusal.component(SPEC).unwrap());
        let new = world.host.load(&source).unwrap();
        assert_ne!(new.digest(), old.digest());
        assert!(world.call(&new, "the ledger").outcome.unwrap_err().message.starts_with("no_idea"));
        drop(let_go);
        call.join().unwrap()
    });
    assert_eq!(report.outcome.unwrap().picks[0].spec, SPEC, "what the old one says");
}

/// As an editor and `pu plugin add` do it: there is no moment without the file or with half of it.
fn replace(world: &World, name: &str, bytes: &[u8]) {
    world.file("new.wasm", bytes);
    std::fs::rename(world.folder.path().join("new.wasm"), world.folder.path().join(name)).unwrap();
}
