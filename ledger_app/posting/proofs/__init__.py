"""Invariants of posting, asked of the rows alone."""
