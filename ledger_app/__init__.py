"""The ledger: books, members, accounts, entries, points, the close."""
