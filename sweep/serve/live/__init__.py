"""What happens in sweeps, told to those who listen as it happens."""
