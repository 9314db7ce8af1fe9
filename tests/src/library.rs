//! A small library of specs on subjects that have no words in common.

/// Path and text of each.
pub const SPECS: &[(&str, &str)] = &[
    (
        "specs/auth.md",
        "---\nid: AUTH\ntitle: Sessions and tokens\ntags: [auth, login]\n---\n# Sessions and tokens\n\n\
         ## AUTH-001: Refresh tokens rotate\n\nA refresh token is used once. Two requests that refresh at the same time \
         race for it: the loser waits for the winner's token and never logs the user out.\n\n\
         ## AUTH-002: Sessions expire\n\nA session without requests for thirty minutes is closed.\n",
    ),
    (
        "specs/billing.md",
        "---\nid: BILL\ntitle: Invoices and the ledger\ntags: [billing, ledger]\n---\n# Invoices and the ledger\n\n\
         ## BILL-001: Amounts are integers\n\nEvery amount on an invoice is a whole number of cents. Rounding is half to \
         even and happens once, on the invoice's total.\n",
    ),
    (
        "specs/images.md",
        "---\nid: IMG\ntitle: Thumbnails\ntags: [images]\n---\n# Thumbnails\n\n\
         ## IMG-001: Resizing\n\nAn uploaded photograph gets thumbnails of three widths, made by a worker from the \
         original, never from another thumbnail.\n",
    ),
    (
        "docs/deploy.md",
        "# Deployment\n\n## Blue and green\n\nA release goes to the idle half of the cluster, is probed there, and then \
         the load balancer is switched over.\n",
    ),
];

/// A task that `specs/auth.md` is about, and none of the others.
pub const AUTH_TASK: &str = "fix the race of two requests that refresh the same token";
