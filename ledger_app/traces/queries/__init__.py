"""Queries of traces: they read, and write nothing."""
