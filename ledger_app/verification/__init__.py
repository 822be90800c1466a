"""``verify``: the invariants, asked of the rows alone."""
