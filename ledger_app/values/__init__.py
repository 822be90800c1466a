"""What a single value may be, and how it is written: instants, identifiers, names, tokens, amounts, codes. Pure."""
