"""What all doors have in common, and nothing of one subject alone."""
