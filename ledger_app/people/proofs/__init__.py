"""The invariants of this subject, asked of the rows alone."""
