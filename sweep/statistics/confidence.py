"""The confidence level of every interval and of every set of trials that may be the best."""

from sweep.special_functions import ndtri

CONFIDENCE = 0.95

Z = float(ndtri(0.5 + CONFIDENCE / 2))
"""Standard errors on either side of a mean for this level, of a normal distribution: 1.96."""
