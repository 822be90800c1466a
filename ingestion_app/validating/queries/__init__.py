"""Queries of validation: they read, and write nothing."""
