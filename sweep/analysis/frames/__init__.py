"""The store as pandas frames: trials, epochs, their ranking, ties and repeats."""
