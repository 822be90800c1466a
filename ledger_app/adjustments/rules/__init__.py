"""Rules of adjustments: pure decisions, without a database or a clock."""
