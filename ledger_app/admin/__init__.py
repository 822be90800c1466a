"""The ledger in the admin: lists, details, and the buttons of periods. Nothing here writes."""

from ledger_app.admin import accounts, audit, books, entries, members, merges, periods, users

__all__ = ["accounts", "audit", "books", "entries", "members", "merges", "periods", "users"]
