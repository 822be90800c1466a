"""Worlds, samples, lists of pages and meetings that tests have in common."""
