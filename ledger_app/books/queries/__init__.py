"""Queries of books: they read, and write nothing."""
