"""What every subject stands on: transactions, transitions, the audit, histories, bulk writing, the clock, the frame of invariants."""
