"""Charts: each computes its numbers, then draws them; `catalogue` lists and writes all."""
