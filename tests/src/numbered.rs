//! An agent whose output proves itself: numbered lines, each with a checksum of its number.

use std::path::Path;

/// Part of the command line of whatever such an agent runs, so that its processes can be told from others.
pub const NUMBERED: &str = "sleep 0.013";

fn checksum(line: u64) -> u64 {
    (line * 7919 + 13) % 1_000_003
}

/// A shell command that writes lines in bursts until `stop` is there; then it says how many there were and ends with 3.
pub fn numbered(stop: &Path) -> String {
    format!(
        "i=0; while [ ! -e {} ]; do n=0; while [ $n -lt 20 ]; do echo \"$i $(( (i * 7919 + 13) % 1000003 ))\"; \
         i=$((i+1)); n=$((n+1)); done; {NUMBERED}; done; echo \"END $i\"; exit 3",
        stop.display()
    )
}

/// How many lines there are in what such an agent has written; panics where one is missing, twice or wrong. The last one
/// may be cut off while the agent writes.
#[track_caller]
pub fn lines_of(output: &[u8]) -> u64 {
    let text = String::from_utf8(output.to_vec()).expect("numbered lines are text");
    let mut next = 0;
    for line in text.split_inclusive("\r\n") {
        let Some(line) = line.strip_suffix("\r\n") else { break };
        if let Some(count) = line.strip_prefix("END ") {
            assert_eq!(count.parse::<u64>().ok(), Some(next), "the last line counts those before");
            continue;
        }
        assert_eq!(line, format!("{next} {}", checksum(next)), "line {next}");
        next += 1;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_missing_is_found() {
        let line = |i: u64| format!("{i} {}\r\n", checksum(i));
        let whole: String = (0..4).map(line).collect();
        assert_eq!(lines_of(format!("{whole}END 4\r\n").as_bytes()), 4);
        assert_eq!(lines_of(format!("{whole}4 31").as_bytes()), 4, "one is being written");
        for broken in [line(1), format!("{whole}{}", line(3)), format!("{whole}END 5\r\n")] {
            assert!(std::panic::catch_unwind(|| lines_of(broken.as_bytes())).is_err(), "{broken:?}");
        }
    }
}
