"""Members: registered, found, their identifiers and accounts, and merges of two into one."""
