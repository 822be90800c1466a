"""Points: rules of lots and of holds, holds placed and ended, expiry, and what of a balance can be spent."""
