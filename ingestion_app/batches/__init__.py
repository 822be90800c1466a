"""What a batch is made of: records, chunks and attempts, their sums, and the processes that work on them."""
