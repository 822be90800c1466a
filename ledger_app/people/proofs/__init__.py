"""Invariants of users, asked of the rows alone."""
