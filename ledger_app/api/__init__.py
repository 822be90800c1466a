"""The ledger in the API: one module for each subject."""
