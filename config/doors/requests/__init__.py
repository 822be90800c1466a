"""What a request is held to before a view sees it."""
