"""Invariants of traces, asked of the rows alone."""
