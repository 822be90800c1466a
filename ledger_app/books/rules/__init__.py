"""Rules of books: pure decisions, without a database or a clock."""
