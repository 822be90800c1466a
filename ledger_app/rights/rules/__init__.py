"""Rules of rights: pure decisions, without a database or a clock."""
