"""Queries of exports to accounting: they read, and write nothing."""
