"""Queries of what every subject stands on: they read, and write nothing."""
