"""The one way into the ledger: what may be posted, what a posting does to lots, what it writes; and reading entries and lines."""
