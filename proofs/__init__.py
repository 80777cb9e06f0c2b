"""What holds for all n, m and t."""
