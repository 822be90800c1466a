"""Invariants of ``verify``, asked of the rows alone."""
