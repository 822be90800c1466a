"""The invariants of batches, asked of the rows alone by the ledger's ``verify``."""
