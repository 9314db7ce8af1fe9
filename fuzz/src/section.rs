//! The outermost layer of the binary format, as far as fuzzing needs it: sections, and two that can be appended.

use std::ops::Range;

/// Bytes before the first section.
const HEADER: usize = 8;
/// Of a component.
const PREAMBLE: [u8; HEADER] = *b"\0asm\x0d\0\x01\0";
const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const COMPONENT_EXPORT: u8 = 11;

/// A section: where all of it is, and where its size stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub whole: Range<usize>,
    pub size: Range<usize>,
}

/// The sections, up to where the bytes make no sense.
pub fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while let Some((length, body)) = read_size(bytes, at + 1) {
        let end = body.saturating_add(length);
        if end > bytes.len() {
            break;
        }
        found.push(Section { whole: at..end, size: at + 1..body });
        at = end;
    }
    found
}

/// The number in LEB128 that stands here, and where it ends.
fn read_size(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for (n, byte) in bytes.get(at..)?.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((value, at + n + 1));
        }
    }
    None
}

/// A number in LEB128.
pub fn size(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A component that holds this core module and nothing else.
pub fn component_of(module: &[u8]) -> Vec<u8> {
    [PREAMBLE.to_vec(), section(CORE_MODULE, &[module])].concat()
}

/// The section of a valid manifest.
pub fn manifest() -> Vec<u8> {
    let json = br#"{"name":"fuzz","version":"0.0.0","contract":"0.1.0"}"#;
    section(CUSTOM, &[&named("purepoint:manifest"), json])
}

/// A section that exports the first item of this sort as `assemble`.
pub fn export(sort: &[u8]) -> Vec<u8> {
    // One export; its name is a plain one; the item's number; no type is given.
    section(COMPONENT_EXPORT, &[&[1, 0], &named("assemble"), sort, &[0, 0]])
}

fn named(name: &str) -> Vec<u8> {
    [size(name.len()), name.as_bytes().to_vec()].concat()
}

fn section(id: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [vec![id], size(body.len()), body].concat()
}
