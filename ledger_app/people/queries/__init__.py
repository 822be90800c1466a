"""Queries of users: they read, and write nothing."""
