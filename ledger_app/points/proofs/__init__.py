"""Invariants of points, asked of the rows alone."""
