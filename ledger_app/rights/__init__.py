"""Who may do what: groups, grants, and the tokens by which programs act for a user."""
