"""What is written, and nowhere else."""
