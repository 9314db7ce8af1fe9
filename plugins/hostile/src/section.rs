//! Sections of a component, encoded by hand: what is appended to one that is finished.

/// A custom section.
pub(crate) fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(data.len() + name.len() + 5);
    leb128(&mut content, name.len());
    content.extend(name.as_bytes());
    content.extend(data);
    section(0, &content)
}

/// A core module that has a segment of so many bytes of data, and nothing else.
pub(crate) fn module_with_data(bytes: usize) -> Vec<u8> {
    // One segment, passive, which needs no memory to be valid.
    let mut segments = vec![1, 1];
    leb128(&mut segments, bytes);
    segments.resize(segments.len() + bytes, 0);
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend(section(11, &segments));
    section(1, &module)
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut section = Vec::with_capacity(content.len() + 6);
    section.push(id);
    leb128(&mut section, content.len());
    section.extend(content);
    section
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}
