"""Rules of users: pure decisions, without a database or a clock."""
