"""Queries of points: they read, and write nothing."""
