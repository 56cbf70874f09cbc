"""The loop: ask, train, record, tell; budgets, failures, resume."""
