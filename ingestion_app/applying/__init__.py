"""Applying: chunks under leases, each in one transaction with its entries, and the end of a batch."""
