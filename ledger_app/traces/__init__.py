"""What the database itself writes down of each row, the chain over it, and what an erasure takes away of it."""
