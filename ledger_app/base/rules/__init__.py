"""Rules of what every subject stands on: pure decisions, without a database or a clock."""
