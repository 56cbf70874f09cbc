"""The queue's database: what waits and what ran, who may ask for it, who asked for what."""
