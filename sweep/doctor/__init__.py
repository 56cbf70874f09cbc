"""Checks the integrity of sweeps and of the machine, and says what to do."""
