"""Books, their periods and accounts: opened, found, and the states that they pass through."""
