"""Invariants of adjustments, asked of the rows alone."""
