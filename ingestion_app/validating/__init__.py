"""Validation: a whole file read, judged, compared with earlier ones, and cut into the chunks of a plan."""
