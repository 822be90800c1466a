"""Adjustments by hand: proposals, decisions, reason codes, limits, and what is attached."""
