"""Reports and files: what leaves the ledger for people and for other programs."""
