"""Changes of settings that could move money, and of who may do what: proposed by one person, decided by another."""
