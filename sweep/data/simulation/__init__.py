"""Built-in events: a simulation of collisions for those who have no file."""
