"""The formats of files, and the definitions of sources: bytes become typed values, and nothing is guessed."""
