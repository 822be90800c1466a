"""Pure decisions: no database, no clock."""
