"""Rules of members: pure decisions, without a database or a clock."""
