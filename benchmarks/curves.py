"""Validation curves with known truth: level, falling or rising, with jitter like real networks'."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from sweep.statistics.onset import onsets

Curves = NDArray[np.float64]


def jitter(
    n: int, epochs: int, spread: float, correlation: float, random: np.random.Generator
) -> Curves:
    """Return jitter with this spread and correlation from epoch to epoch: (n, epochs)."""
    shocks = random.normal(size=(n, epochs))
    found = shocks.copy()
    for epoch in range(1, epochs):
        fresh = np.sqrt(1 - correlation**2) * shocks[:, epoch]
        found[:, epoch] = correlation * found[:, epoch - 1] + fresh
    return spread * found


def expected(epochs: int, rise: float) -> Curves:
    """Return a curve that falls steeply, is level to its middle, then rises: (epochs,)."""
    at = np.arange(1, epochs + 1)
    after = np.clip((at - epochs / 2) / (epochs - epochs / 2), 0, None)
    curve: Curves = 0.6 + 0.1 * np.exp(-at / (0.12 * epochs)) + rise * after
    return curve


def share_found(
    n: int, epochs: int, rise: float, spread: float, correlation: float, seed: int = 0
) -> float:
    """Return the share of such curves in which an onset of overfitting is seen."""
    random = np.random.default_rng(seed)
    level = np.full(epochs, 0.6) if rise == 0 else expected(epochs, rise)
    curves = level + jitter(n, epochs, spread, correlation, random)
    numbers = np.repeat(np.arange(n), epochs), np.tile(np.arange(1, epochs + 1), n)
    return float(np.isfinite(onsets(*numbers, curves.ravel(), n)).mean())


def most_found(
    epochs: int, rise: float, spread: float, correlation: float = 0.0, level: float = 0.05
) -> float:
    """Return how often the best of all tests finds such a curve, if it knows all but its noise.

    It knows the form of the curve, the onset and the jitter, and says "rises" of at most `level` of
    curves that never rise. Of these let P be the one nearest to the curve A (its antitonic
    regression). No test tells A from P better than that of Neyman and Pearson (1933), which finds A
    with probability Φ(d − z), for d the distance of A and P over the jitter. As P is nearest, that
    test says "rises" of no other falling curve more often (without correlation): it is the bound.
    """
    curve = expected(epochs, rise)
    apart = curve - isotonic_regression(curve, increasing=False).x
    fresh = np.r_[apart[0], (apart[1:] - correlation * apart[:-1]) / np.sqrt(1 - correlation**2)]
    return float(ndtr(np.linalg.norm(fresh) / spread - ndtri(1 - level)))
