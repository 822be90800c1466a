"""Where a number comes from: accounts, entries and balances explained, statements as known at any time."""
