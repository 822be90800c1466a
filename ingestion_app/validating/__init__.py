"""Validation: a whole file read, judged, held against earlier ones, and cut into the chunks of a plan."""
