"""Rules of posting: pure decisions, without a database or a clock."""
