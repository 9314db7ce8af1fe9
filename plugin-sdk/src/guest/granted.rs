//! The calls of what has to be granted. One that a plugin does not make is in none of its imports.

use super::bindings::purepoint::context::history;
use crate::Failure;
use crate::history::{Page, Query};

pub(crate) mod state {
    //! What the plugin keeps.

    use super::super::bindings::purepoint::context::state;
    use crate::Failure;

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(state::get(key)?)
    }

    pub(crate) fn set(key: &str, value: &[u8]) -> Result<(), Failure> {
        Ok(state::set(key, value)?)
    }

    pub(crate) fn delete(key: &str) -> Result<(), Failure> {
        Ok(state::delete(key)?)
    }

    pub(crate) fn keys(prefix: &str) -> Result<Vec<String>, Failure> {
        Ok(state::keys(prefix)?)
    }
}

pub(crate) fn recent(query: &Query) -> Result<Page, Failure> {
    Ok(history::recent(&query.into())?.into())
}
