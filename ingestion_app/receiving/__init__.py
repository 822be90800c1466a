"""Files as they arrive: stored, hashed, registered, and pruned when nothing rests on them."""
