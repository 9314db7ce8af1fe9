//! What the fuzz targets share. Knows of the host what any embedder knows: the public room `pu_engine::plugins`.

pub mod answer;
pub mod bounds;
pub mod corpus;
pub mod finding;
pub mod mutation;
pub mod run;
pub mod section;
pub mod trial;
