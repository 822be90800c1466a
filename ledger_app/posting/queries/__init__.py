"""Queries of posting: they read, and write nothing."""
