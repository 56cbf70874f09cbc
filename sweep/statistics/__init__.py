"""Arrays in, numbers out: errors, intervals and tests, each with its source."""
