//! How much text a program can be started with.
//!
//! One set of figures for Linux and macOS, the smaller of the two each time, so that a spawn which works on one works
//! on the other and takes the same route there.

/// The longest argument or `NAME=value` string, in bytes, without its closing NUL: Linux refuses 131,072 with E2BIG
/// (`MAX_ARG_STRLEN`), measured. macOS has no such limit.
pub(crate) const STRING_MAX: usize = 131_071;

/// All arguments and variables together, closing NULs and pointers included: macOS's `ARG_MAX`. Linux takes a quarter
/// of the stack limit, 2 MiB by default.
pub(crate) const TOTAL_MAX: usize = 1024 * 1024;

/// The longest context that is handed over as a variable's value.
pub(crate) const CONTEXT_IN_ENV_MAX: usize = 120 * 1024;

/// What the system counts for a launch with these strings.
pub(crate) fn total<'a>(strings: impl Iterator<Item = usize> + 'a) -> usize {
    strings.map(|length| length + 1 + size_of::<usize>()).sum()
}

/// Whether `text` can be one argument of an agent whose own limit is `own`.
pub(crate) fn fits_argument(text: &str, own: Option<usize>) -> bool {
    text.len() <= own.unwrap_or(STRING_MAX).min(STRING_MAX) && !text.contains('\0')
}

/// Whether `NAME=value` can be one variable.
pub(crate) fn fits_variable(name: &str, value: &str) -> bool {
    name.len() + 1 + value.len() <= STRING_MAX && !value.contains('\0')
}
