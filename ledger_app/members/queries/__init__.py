"""Queries of members: they read, and write nothing."""
