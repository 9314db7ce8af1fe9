//! The spool against a plain model: every byte handed in is either read back at its offset or lies in a gap that is
//! told of.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

const KIB: usize = 1024;

/// Bytes in which every place differs from its neighbours and from the same place a segment later.
fn pattern(offset: u64, length: usize) -> Vec<u8> {
    (offset..offset + length as u64).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Appends the pattern, so that what lies at an offset is known from the offset.
fn append(writer: &mut SpoolWriter, length: usize) -> io::Result<()> {
    writer.append(&pattern(writer.end(), length))
}

/// Reads from `offset` to the end in pieces of `max` and checks each byte; the gaps that were met.
fn check_from(folder: &Path, offset: u64, max: usize, end: u64) -> Vec<(u64, u64)> {
    let reader = SpoolReader::new(folder);
    let (mut at, mut gaps) = (offset, Vec::new());
    loop {
        let chunk = reader.read_from(at, max).unwrap();
        if chunk.bytes.is_empty() {
            assert_eq!(at, end, "the end is where the writer says");
            return gaps;
        }
        match chunk.gap {
            Some((from, to)) => {
                assert_eq!((from, to), (at, chunk.offset));
                gaps.push((from, to));
            }
            None => assert_eq!(chunk.offset, at),
        }
        assert!(chunk.bytes.len() <= max);
        assert!(chunk.bytes == pattern(chunk.offset, chunk.bytes.len()), "bytes at {}", chunk.offset);
        at = chunk.offset + chunk.bytes.len() as u64;
    }
}

#[test]
fn bytes_come_back_at_their_offsets_across_segments_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("output");
    let mut end = 0;
    for (round, length) in [1, 7, 64 * KIB, 300 * KIB, 0, 4096, 200 * KIB].into_iter().enumerate() {
        let mut writer = SpoolWriter::open(&folder, 0).unwrap();
        assert_eq!(writer.end(), end, "round {round}");
        append(&mut writer, length).unwrap();
        end += length as u64;
        assert_eq!((writer.start(), writer.end()), (0, end));
    }
    assert!(list(&folder).unwrap().len() > 1);
    for (offset, max) in [(0, usize::MAX), (0, 1000), (300_001, 4096), (end, 10)] {
        assert_eq!(check_from(&folder, offset, max, end), []);
    }
    assert_eq!(SpoolReader::new(&folder).range().unwrap(), (0, end));
}

#[test]
fn the_oldest_go_whole_and_never_below_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let limit = 2 * LIMIT_MIN;
    let mut writer = SpoolWriter::open(folder.path(), limit).unwrap();
    let mut state = 12345_u64;
    while writer.end() < 5 * limit {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = (state >> 33) as usize % (100 * KIB);
        let soon = writer.start_after(length as u64);
        append(&mut writer, length).unwrap();
        assert!(writer.start() <= soon, "a promise of what is still there is kept");
        let kept = writer.end() - writer.start();
        assert!(writer.start() == 0 || kept >= limit, "{kept} kept");
        assert!(kept < 2 * limit, "{kept} kept");
        assert_eq!(SpoolReader::new(folder.path()).range().unwrap(), (writer.start(), writer.end()));
    }
    let start = writer.start();
    assert!(start > 0);
    assert_eq!(check_from(folder.path(), 5, 4096, writer.end()), [(5, start)]);
}

#[test]
fn at_least_a_mebibyte_is_kept_whatever_the_limit_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 1).unwrap();
    (0..64).for_each(|_| append(&mut writer, 64 * KIB).unwrap());
    assert!(writer.end() - writer.start() >= LIMIT_MIN);
    assert!(writer.start() > 0);
}

#[test]
fn a_disk_that_refuses_leaves_a_gap_says_so_once_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    let full = LIMIT_MIN as usize / 4;
    append(&mut writer, full).unwrap();
    let mut expected = Vec::new();
    for lost in [1, 3] {
        let from = writer.end();
        for attempt in 0..lost {
            // The segment that would come next leads to a disk that is full.
            symlink("/dev/full", segment_path(folder.path(), writer.end())).unwrap();
            let result = append(&mut writer, 1000);
            assert_eq!(result.is_err(), attempt == 0, "told once a row");
            assert!(writer.is_failing());
        }
        expected.push((from, writer.end()));
        append(&mut writer, full).unwrap();
        assert!(!writer.is_failing());
    }
    assert_eq!(writer.lost(), 4000);
    assert_eq!(check_from(folder.path(), 0, 4096, writer.end()), expected);
    assert_eq!(SpoolReader::new(folder.path()).gaps().unwrap(), expected);
    assert_eq!(SpoolWriter::open(folder.path(), 0).unwrap().end(), writer.end());
}

#[test]
fn what_was_appended_is_synced_and_what_was_synced_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    writer.sync().unwrap();
    let full = LIMIT_MIN as usize / 4;
    append(&mut writer, 2 * full).unwrap();
    writer.sync().unwrap();
    let first = segment_path(folder.path(), 0);
    fs::remove_file(&first).unwrap();
    append(&mut writer, full).unwrap();
    writer.sync().unwrap();
    append(&mut writer, full).unwrap();
    fs::remove_file(segment_path(folder.path(), 3 * full as u64)).unwrap();
    assert!(writer.sync().is_err(), "one that is not there cannot be synced");
}

#[test]
fn a_folder_that_is_gone_for_a_while_is_a_gap_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    let mut writer = SpoolWriter::open(&path, 0).unwrap();
    let full = LIMIT_MIN as usize / 4;
    append(&mut writer, full).unwrap();
    fs::rename(&path, folder.path().join("away")).unwrap();
    assert!(append(&mut writer, 10).is_err());
    fs::rename(folder.path().join("away"), &path).unwrap();
    append(&mut writer, 10).unwrap();
    let full = full as u64;
    assert_eq!(check_from(&path, 0, 4096, writer.end()), [(full, full + 10)]);
}

#[test]
fn a_segment_cut_short_by_a_crash_is_a_gap_or_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    (0..10).for_each(|_| append(&mut writer, 64 * KIB).unwrap());
    let end = writer.end();
    drop(writer);
    let segments = list(folder.path()).unwrap();
    let first = fs::OpenOptions::new().write(true).open(segment_path(folder.path(), 0)).unwrap();
    first.set_len(100).unwrap();
    assert_eq!(check_from(folder.path(), 0, 4096, end), [(100, segments[1].start)]);
    assert_eq!(check_from(folder.path(), 5000, 4096, end), [(5000, segments[1].start)]);

    let last = segments.last().unwrap();
    let file = fs::OpenOptions::new().write(true).open(segment_path(folder.path(), last.start)).unwrap();
    file.set_len(1).unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    assert_eq!(writer.end(), last.start + 1, "the offset goes on where the bytes end");
    append(&mut writer, 50).unwrap();
    assert_eq!(check_from(folder.path(), last.start, 10, last.start + 51), []);
}

#[test]
fn what_is_not_there_is_empty_and_what_is_foreign_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let reader = SpoolReader::new(folder.path().join("none"));
    assert_eq!(reader.range().unwrap(), (0, 0));
    assert_eq!(reader.read_from(7, 10).unwrap(), Chunk { offset: 7, bytes: Vec::new(), gap: None });
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    append(&mut writer, 100).unwrap();
    for name in ["notes", "123", "0000000000000000000x", "+0000000000000000005"] {
        fs::File::create(folder.path().join(name)).unwrap();
    }
    assert_eq!(check_from(folder.path(), 0, 10, 100), []);
}

#[test]
fn the_tail_is_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::open(folder.path(), 0).unwrap();
    (0..10).for_each(|_| append(&mut writer, 64 * KIB).unwrap());
    let end = writer.end();
    let reader = SpoolReader::new(folder.path());
    for length in [0, 1, 1000, 500_000, end, u64::MAX] {
        let tail = reader.tail(length).unwrap();
        let expected = end - length.min(end);
        assert_eq!(tail.offset, expected);
        assert!(tail.bytes == pattern(expected, (end - expected) as usize), "{length}");
    }
    fs::remove_file(segment_path(folder.path(), list(folder.path()).unwrap()[1].start)).unwrap();
    let tail = reader.tail(u64::MAX).unwrap();
    let third = list(folder.path()).unwrap()[1].start;
    assert_eq!((tail.offset, tail.bytes.len() as u64), (third, end - third));
    assert!(tail.gap.is_some());
}
