"""What is measured with care, measured at once: where a test asks for all else that is said."""


def hasty_plan() -> None:
    """A plan trains each model it measures once; how long a sweep takes is not believed then."""
    from sweep.runner import estimate

    estimate._COPIES = dict.fromkeys(estimate._COPIES, 1)
    estimate._EPOCHS = 1


FEW_BUILDS = {"_RANDOM_BUILDS_IF_PLAIN": 1, "_RANDOM_BUILDS": 4, "_REPEATED": 1}
"""Constants of `sweep.space.discover`: a space is seen by the builds that cover it and few more.

Tests of the search spaces themselves have all builds, and so have new processes.
"""


def hasty_discovery() -> None:
    """From now on this process and its forks look at a space in a few builds."""
    from sweep.space import discover

    for name, number in FEW_BUILDS.items():
        setattr(discover, name, number)
