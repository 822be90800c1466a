"""The ledger in the admin: lists, details, and the buttons of periods. Nothing here writes."""

from ledger_app.admin import (
    accounts,
    adjustments,
    audit,
    books,
    entries,
    hold_rules,
    lots,
    members,
    merges,
    periods,
    reason_codes,
    reversals,
    setting_changes,
    tasks,
    users,
    webhooks,
)

__all__ = [
    "accounts",
    "adjustments",
    "audit",
    "books",
    "entries",
    "hold_rules",
    "lots",
    "members",
    "merges",
    "periods",
    "reason_codes",
    "reversals",
    "setting_changes",
    "tasks",
    "users",
    "webhooks",
]
