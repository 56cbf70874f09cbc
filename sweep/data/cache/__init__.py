"""Parsed rows on the disk, whole and verified: arrays, and manifests that describe them."""
