"""Rules of traces: pure decisions, without a database or a clock."""
