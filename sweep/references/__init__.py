"""What the same rows give without a network: reference models, and a process that trains them."""
