//! How much of what a plugin says beside its answer is passed on: what was dropped, its notes, its log. A report stands in
//! one line of the protocol, together with those of others.
//!
//! Pure. Picks and labels have bounds of their own.

use pu_protocol::context::AssemblerReport;

/// Bytes of JSON that one report has for it.
pub(super) const TALK_MAX: usize = 32 * 1024;

/// Cuts the lines that there is no room for, of the log first, and says how many went.
pub(super) fn shorten(report: &mut AssemblerReport, room: usize) {
    let AssemblerReport { dropped, notes, log, .. } = report;
    let mut left = room;
    for lines in [dropped, notes, log] {
        left -= keep(lines, left);
    }
}

/// Keeps the first lines that fit; answers how much of the room they take.
fn keep(lines: &mut Vec<String>, room: usize) -> usize {
    let (mut kept, mut used) = (0, 0);
    for line in lines.iter() {
        // Quotes and the comma included.
        let size = serde_json::to_string(line).map_or(line.len(), |json| json.len()) + 1;
        if used + size > room {
            break;
        }
        used += size;
        kept += 1;
    }
    let cut = lines.len() - kept;
    if cut > 0 {
        lines.truncate(kept);
        lines.push(format!("and {cut} more, which a report has no room for"));
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|_| "x".repeat(length)).collect()
    }

    #[test]
    fn what_is_short_stays_whole() {
        let mut report = AssemblerReport { notes: lines(3, 100), log: lines(9, 100), ..AssemblerReport::default() };
        let whole = report.clone();
        shorten(&mut report, TALK_MAX);
        assert_eq!(report, whole);
    }

    #[test]
    fn the_log_is_cut_first_and_what_is_cut_is_counted() {
        let mut report = AssemblerReport {
            dropped: lines(2, 97),
            notes: lines(2, 97),
            log: lines(100, 997),
            ..AssemblerReport::default()
        };
        shorten(&mut report, 4_400);
        assert_eq!((report.dropped.len(), report.notes.len(), report.log.len()), (2, 2, 5));
        assert_eq!(report.log[4], "and 96 more, which a report has no room for");
        shorten(&mut report, 0);
        assert_eq!((report.dropped.len(), report.notes.len(), report.log.len()), (1, 1, 1));
        assert_eq!(report.notes, ["and 2 more, which a report has no room for"]);
    }

    #[test]
    fn what_json_makes_longer_counts_as_long_as_that() {
        let mut report = AssemblerReport { log: vec!["\"".repeat(100); 2], ..AssemblerReport::default() };
        shorten(&mut report, 300);
        assert_eq!(report.log.len(), 2);
        assert!(report.log[1].starts_with("and 1 more"), "{report:?}");
    }
}
