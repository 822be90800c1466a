"""Sources: definitions loaded and read."""
