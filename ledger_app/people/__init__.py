"""Those who work here: users, their second factors and sessions, who signed in, and the review of access."""
