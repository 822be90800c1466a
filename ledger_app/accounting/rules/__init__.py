"""Rules of exports to accounting: pure decisions, without a database or a clock."""
