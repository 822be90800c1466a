"""Reversals of single entries: proposed by one person, decided by another."""
