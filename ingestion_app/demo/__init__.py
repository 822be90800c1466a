"""The demonstration: real purchases as card files, and all that they need."""
