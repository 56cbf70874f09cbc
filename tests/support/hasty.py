"""What is measured with care, measured at once: where a test asks for all else that is said."""


def hasty_plan() -> None:
    """A plan trains each model it measures once; how long a sweep takes is not believed then."""
    from sweep.runner import estimate

    estimate._COPIES = dict.fromkeys(estimate._COPIES, 1)
    estimate._EPOCHS = 1
