"""What the reversal of a batch rests on and posts: its entries, what refuses them, its plan and drafts."""
