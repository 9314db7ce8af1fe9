//! What the filesystem says of a file without reading it: equal stamps mean that it need not be read again.
//!
//! A stamp alone never proves that content is equal: a file that was written in the same clock tick in which it was read
//! looks unchanged after a second write. Such a stamp is not kept, and its file is hashed again at the next scan.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How near to "now" a change time may be and still be trusted, on filesystems that store nanoseconds.
const TICK_NS: i128 = 50_000_000;
/// The same on filesystems that store whole seconds.
const COARSE_NS: i128 = 2_100_000_000;
const SECOND_NS: i128 = 1_000_000_000;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        let ns = |s: i64, ns: i64| i128::from(s) * SECOND_NS + i128::from(ns);
        Stamp {
            size: metadata.size(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// This stamp if it can be trusted, else one that no file has.
    pub(crate) fn trusted(self, read_at: SystemTime) -> Stamp {
        if self.settled(read_at) { self } else { Stamp::default() }
    }

    /// Whether a write after `read_at` would have to show in the stamp.
    fn settled(&self, read_at: SystemTime) -> bool {
        let now = read_at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as i128);
        let coarse = self.modified_ns % SECOND_NS == 0 && self.changed_ns % SECOND_NS == 0;
        now - self.modified_ns.max(self.changed_ns) > if coarse { COARSE_NS } else { TICK_NS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamp(ns: i128) -> Stamp {
        Stamp { size: 1, modified_ns: ns, changed_ns: ns, inode: 1 }
    }

    #[test]
    fn a_stamp_settles_only_when_a_later_write_would_change_it() {
        let second = 1_700_000_000 * SECOND_NS;
        let at = |ns: i128| UNIX_EPOCH + Duration::from_nanos(ns as u64);
        for (changed, read, settled) in [
            (second + 5, second + 10, false),
            (second + 5, second + TICK_NS, false),
            (second + 5, second + TICK_NS + 6, true),
            (second, second + SECOND_NS, false),
            (second, second + 3 * SECOND_NS, true),
            (second + 10, second, false),
        ] {
            assert_eq!(stamp(changed).settled(at(read)), settled, "changed {changed} read {read}");
        }
    }
}
