"""Queries of rights: they read, and write nothing."""
