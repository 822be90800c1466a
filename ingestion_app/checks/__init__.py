"""Checks of a file: each record by itself, the records together, and the file beside earlier ones."""
