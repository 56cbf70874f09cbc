"""What a sweep is asked, answered in numbers: which is best, does it overfit, what helps."""
