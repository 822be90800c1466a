"""What the guards of a batch are asked with, and the decisions: acknowledge, approve, withdraw, reverse, freeze."""
