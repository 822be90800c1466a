"""Queries of the close: they read, and write nothing."""
