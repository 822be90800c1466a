"""The admin site, and what its pages have in common."""
