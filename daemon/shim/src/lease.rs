//! Who holds the size of the agent's screen: the client that typed last.
//!
//! A pure state. Connecting takes the size only when nobody else could hold it, and closing changes nothing, so a small
//! viewer never re-wraps the agent's screen.

use pu_protocol::frame::TerminalSize;

/// A client's number within one shim.
pub(crate) type ClientId = u64;

/// Invariant: `owner`, if any, is among `terminals` or is a client that took the size explicitly.
#[derive(Debug, Default)]
pub(crate) struct SizeLease {
    owner: Option<ClientId>,
    /// The attached terminals that may type, with the size that each last told.
    terminals: Vec<(ClientId, Option<TerminalSize>)>,
}

impl SizeLease {
    /// A terminal attached. The size that the screen must take, if any.
    pub(crate) fn attached(&mut self, client: ClientId, size: Option<TerminalSize>) -> Option<TerminalSize> {
        let alone = self.terminals.is_empty() && self.owner.is_none();
        self.terminals.push((client, size));
        if alone { self.take(client) } else { None }
    }

    /// A terminal typed.
    pub(crate) fn typed(&mut self, client: ClientId) -> Option<TerminalSize> {
        let known = self.terminals.iter().any(|(id, _)| *id == client);
        if known && self.owner != Some(client) { self.take(client) } else { None }
    }

    /// A client asked for the size.
    pub(crate) fn take(&mut self, client: ClientId) -> Option<TerminalSize> {
        self.owner = Some(client);
        self.terminals.iter().find(|(id, _)| *id == client).and_then(|(_, size)| *size)
    }

    /// A client's terminal has a new size. `Err` if somebody else holds the size and the client is no terminal whose
    /// wish could wait.
    pub(crate) fn resized(&mut self, client: ClientId, size: TerminalSize) -> Result<Option<TerminalSize>, SizeHeld> {
        let terminal = self.terminals.iter_mut().find(|(id, _)| *id == client);
        let is_terminal = terminal.is_some();
        if let Some((_, told)) = terminal {
            *told = Some(size);
        }
        match self.owner {
            Some(owner) if owner == client => Ok(Some(size)),
            Some(_) if is_terminal => Ok(None),
            Some(_) => Err(SizeHeld),
            None if is_terminal => Ok(self.take(client)),
            None => Ok(Some(size)),
        }
    }

    /// A client is gone.
    pub(crate) fn gone(&mut self, client: ClientId) {
        self.terminals.retain(|(id, _)| *id != client);
        if self.owner == Some(client) {
            self.owner = None;
        }
    }

    /// How many terminals are attached that may type.
    pub(crate) fn terminals(&self) -> usize {
        self.terminals.len()
    }
}

/// Another client holds the size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SizeHeld;

#[cfg(test)]
mod tests {
    use super::*;

    const A: TerminalSize = TerminalSize::new(80, 24);
    const B: TerminalSize = TerminalSize::new(120, 40);
    const C: TerminalSize = TerminalSize::new(60, 20);

    #[test]
    fn the_client_that_typed_last_holds_the_size() {
        let mut lease = SizeLease::default();
        assert_eq!(lease.attached(1, Some(A)), Some(A), "the first terminal takes it");
        assert_eq!(lease.attached(2, Some(B)), None, "a second one does not");
        assert_eq!(lease.resized(2, C), Ok(None), "nor by being resized");
        assert_eq!(lease.typed(1), None, "the owner keeps it");
        assert_eq!(lease.typed(2), Some(C), "typing takes it, at the latest size");
        assert_eq!(lease.resized(1, A), Ok(None));
        assert_eq!(lease.take(1), Some(A), "so does asking");
        assert_eq!(lease.resized(1, B), Ok(Some(B)));
    }

    #[test]
    fn closing_changes_nothing() {
        let mut lease = SizeLease::default();
        lease.attached(1, Some(A));
        lease.attached(2, Some(B));
        lease.gone(1);
        assert_eq!(lease.terminals(), 1);
        assert_eq!(lease.attached(3, Some(C)), None, "there is another terminal, which may type");
        assert_eq!(lease.typed(2), Some(B));
        lease.gone(2);
        lease.gone(3);
        assert_eq!(lease.attached(4, Some(C)), Some(C), "alone again");
    }

    #[test]
    fn a_control_client_may_resize_only_while_nobody_holds_the_size() {
        let mut lease = SizeLease::default();
        assert_eq!(lease.resized(9, B), Ok(Some(B)));
        lease.attached(1, Some(A));
        assert_eq!(lease.resized(9, B), Err(SizeHeld));
        assert_eq!(lease.take(9), None);
        assert_eq!(lease.resized(9, B), Ok(Some(B)));
    }
}
