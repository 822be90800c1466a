"""What must always hold, asked of the rows alone."""
