//! A plugin in an OCI image layout on disk: which of its blobs is the component.
//!
//! Reads small documents only. Whether the blob is what its name says is not checked here: the daemon's digest tells.

use crate::failure::Failure;
use pu_protocol::{ErrorBody, ErrorCode};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a layer with a component is called.
const COMPONENT_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// A list of further images, as an index nested in the index is one.
const INDEX_TYPES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// No component may be larger, and no document of the layout.
const COMPONENT_MAX: u64 = 32 * 1024 * 1024;
const DOCUMENT_MAX: u64 = 4 * 1024 * 1024;
/// How many documents of a layout are looked at.
const DOCUMENTS_MAX: usize = 64;

/// The blob that is the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) path: PathBuf,
    /// SHA-256, in hexadecimal, as the layout promises it.
    pub(crate) digest: String,
}

pub(crate) fn is_layout(folder: &Path) -> bool {
    folder.join("oci-layout").is_file() && folder.join("index.json").is_file()
}

/// The one component of a layout.
pub(crate) fn component(layout: &Path) -> Result<Blob, Failure> {
    let mut layers = Vec::new();
    let mut documents = vec![layout.join("index.json")];
    let mut seen = 0;
    while let Some(path) = documents.pop() {
        seen += 1;
        if seen > DOCUMENTS_MAX {
            return Err(refused(layout, &format!("has more than {DOCUMENTS_MAX} images")));
        }
        let document = read(&path)?;
        for image in list(&document, "manifests") {
            documents.push(blob(layout, image)?.path);
        }
        if !INDEX_TYPES.contains(&text(&document, "mediaType")) {
            for layer in list(&document, "layers").filter(|layer| COMPONENT_TYPES.contains(&text(layer, "mediaType"))) {
                layers.push(blob(layout, layer)?);
            }
        }
    }
    layers.sort_by(|a, b| a.digest.cmp(&b.digest));
    layers.dedup();
    let found = layers.len();
    match layers.pop() {
        Some(layer) if found == 1 => checked_size(layer),
        None => Err(refused(layout, &format!("has no layer of type {}", COMPONENT_TYPES.join(" or ")))),
        Some(_) => Err(refused(layout, &format!("has {found} components, and a plugin is one"))),
    }
}

fn list<'a>(document: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(document: &'a Value, key: &str) -> &'a str {
    document.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Where a descriptor's blob lies. Its digest is part of a path, so it has to be one.
fn blob(layout: &Path, descriptor: &Value) -> Result<Blob, Failure> {
    let digest = text(descriptor, "digest");
    let hex = digest.strip_prefix("sha256:").filter(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    match hex {
        Some(hex) => Ok(Blob { path: layout.join("blobs/sha256").join(hex), digest: hex.to_owned() }),
        None => Err(refused(layout, &format!("names a blob {digest:?}, which is no sha256 digest"))),
    }
}

fn checked_size(blob: Blob) -> Result<Blob, Failure> {
    let size = std::fs::metadata(&blob.path).map_err(|e| Failure::io("find", &blob.path, e))?.len();
    if size <= COMPONENT_MAX {
        return Ok(blob);
    }
    Err(refused(&blob.path, &format!("has {size} bytes, and a component may have {COMPONENT_MAX}")))
}

fn read(path: &Path) -> Result<Value, Failure> {
    let failed = |e| Failure::io("read", path, e);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(DOCUMENT_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > DOCUMENT_MAX {
        return Err(refused(path, &format!("has more than {DOCUMENT_MAX} bytes, which no index has")));
    }
    serde_json::from_slice(&bytes).map_err(|error| refused(path, &format!("is no JSON: {error}")))
}

fn refused(path: &Path, why: &str) -> Failure {
    ErrorBody::new(ErrorCode::PluginRefused, format!("{} {why}", path.display()))
        .with_hint("a layout with one image, whose one wasm layer is the component, is what `pu plugin add` takes")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write;

    const WASM: &str = "application/wasm";

    struct Layout(tempfile::TempDir);

    impl Layout {
        fn new() -> Self {
            let layout = Self(tempfile::tempdir().unwrap());
            std::fs::create_dir_all(layout.0.path().join("blobs/sha256")).unwrap();
            layout.write("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}");
            layout
        }

        fn write(&self, path: &str, bytes: &[u8]) {
            File::create(self.0.path().join(path)).unwrap().write_all(bytes).unwrap();
        }

        /// A blob called by one digit, and its descriptor.
        fn blob(&self, digit: char, media_type: &str, bytes: &[u8]) -> Value {
            let hex = digit.to_string().repeat(64);
            self.write(&format!("blobs/sha256/{hex}"), bytes);
            json!({ "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len() })
        }

        fn image(&self, digit: char, layers: &[Value]) -> Value {
            let manifest = json!({ "schemaVersion": 2, "layers": layers }).to_string();
            self.blob(digit, "application/vnd.oci.image.manifest.v1+json", manifest.as_bytes())
        }

        fn index(&self, manifests: &[Value]) {
            self.write("index.json", json!({ "schemaVersion": 2, "manifests": manifests }).to_string().as_bytes());
        }

        fn component(&self) -> Result<Blob, Failure> {
            component(self.0.path())
        }
    }

    #[test]
    fn the_wasm_layer_is_the_component() {
        for media_type in COMPONENT_TYPES {
            let layout = Layout::new();
            assert!(!is_layout(layout.0.path()));
            let other = layout.blob('b', "application/vnd.oci.image.layer.v1.tar", b"x");
            let wasm = layout.blob('c', media_type, b"\0asm");
            layout.index(&[layout.image('a', &[other, wasm])]);
            assert!(is_layout(layout.0.path()));
            let found = layout.component().unwrap();
            assert_eq!(found.digest, "c".repeat(64));
            assert!(found.path.is_file());
        }
    }

    #[test]
    fn an_index_in_the_index_is_followed_and_one_blob_twice_is_one() {
        let layout = Layout::new();
        let image = layout.image('a', &[layout.blob('c', WASM, b"\0asm")]);
        let nested = json!({ "mediaType": INDEX_TYPES[0], "manifests": [image.clone()] }).to_string();
        let nested = layout.blob('d', INDEX_TYPES[0], nested.as_bytes());
        layout.index(&[image, nested]);
        assert_eq!(layout.component().unwrap().digest, "c".repeat(64));
    }

    #[test]
    fn what_is_no_layout_with_one_component_is_refused() {
        let says = |layout: &Layout, reason: &str| {
            let body = layout.component().unwrap_err().body();
            assert!(body.code == ErrorCode::PluginRefused && body.message.contains(reason), "{}", body.message);
        };
        let layout = Layout::new();
        layout.write("index.json", b"{");
        says(&layout, "is no JSON");
        layout.index(&[]);
        says(&layout, "has no layer of type application/wasm");
        let two = [layout.blob('c', WASM, b"1"), layout.blob('d', WASM, b"2")];
        layout.index(&[layout.image('a', &two)]);
        says(&layout, "has 2 components");
        layout.index(&[json!({ "digest": "sha256:../../../../etc/passwd" })]);
        says(&layout, "no sha256 digest");
        let endless = json!({ "manifests": [{ "digest": format!("sha256:{}", "e".repeat(64)) }] }).to_string();
        layout.index(&[layout.blob('e', INDEX_TYPES[0], endless.as_bytes())]);
        says(&layout, "more than 64 images");
    }

    #[test]
    fn a_component_that_is_too_large_or_not_there_is_told() {
        let layout = Layout::new();
        layout.index(&[layout.image('a', &[layout.blob('c', WASM, b"")])]);
        let path = layout.component().unwrap().path;
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(COMPONENT_MAX + 1).unwrap();
        assert_eq!(layout.component().unwrap_err().body().code, ErrorCode::PluginRefused);
        std::fs::remove_file(path).unwrap();
        assert_eq!(layout.component().unwrap_err().body().code, ErrorCode::Io);
    }
}
