"""The one way into the ledger: what may be posted, what it does to lots, and what is written; entries and lines as they are read."""
