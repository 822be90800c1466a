"""Queries of explanations and reports: they read, and write nothing."""
