"""How a batch stands: progress, deadlines, safe to run again or not, where its records came from."""
