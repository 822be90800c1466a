"""What programs ask for: requests that may be sent again, entries that they post, the feed of what changed, webhooks."""
