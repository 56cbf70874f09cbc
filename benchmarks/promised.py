"""What a report promises, in one table, and figures that are held against it."""

from dataclasses import dataclass

from scipy import stats

SURELY = 1e-3
"""Chance that a figure fails whose method just keeps the promise."""


@dataclass(frozen=True)
class Promise:
    """The least or the most that a share may be; neither where nothing is promised."""

    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:.0%}"
        return "–" if self.at_least is None else f"at least {self.at_least:.0%}"


EQUAL_TOLD_APART = "equal trials told apart"
WORSE_FOUND = "one trial worse by 3 paired SE found"
WORSE_OF_MANY_FOUND = "one trial of 100 worse by 3 paired SE found"
BETTER_ALONE = "one trial better by 3 paired SE left alone"
ROWS_ALONE = "runs that differ in the seed alone told apart, over rows alone"
ROWS_AND_SEEDS = "runs that differ in the seed alone told apart, over rows and seeds"
INTERVAL_HOLDS = "95 % interval holds the score on new rows"
WITHOUT_CHOICE = "the same without the choice of the epoch"
MEAN_INTERVAL_HOLDS = "95 % interval of a mean over seeds holds that of new rows"
MEAN_WITHOUT_CHOICE = "the same without the choice of the epochs"
LOWEST = "expected loss of the lowest score beyond the best"
EXPECTED = "expected loss of the lowest expected score beyond the best"
SIMPLEST = "expected loss of the simplest beyond the lowest score's, and what it says it gives up"
DECIDED_WRONGLY = "equal leaders told apart by confirm --until decided"
ALL_DECIDED = "leaders that are worse all ruled out by confirm --until decided"
DECIDING_RUNS = "runs that this takes"
FALSE_ONSET = "onset of overfitting in a level curve"
RISE_FOUND = "rise of 0.02 found"
RISE_SMALL = "rise of 0.02 found in more jitter"
RISE_MOST = "the most that a test can find which knows form, onset and jitter"
BEST_IS_TIED = "the best on new rows is among the tied"
TOO_GOOD = "the lowest score is too good by"
SAID_TOO_GOOD = "the report says that it is by"

PROMISES = {
    EQUAL_TOLD_APART: Promise(at_most=0.05),
    WORSE_FOUND: Promise(at_least=0.8),
    WORSE_OF_MANY_FOUND: Promise(at_least=0.75),
    BETTER_ALONE: Promise(),
    ROWS_ALONE: Promise(),
    ROWS_AND_SEEDS: Promise(at_most=0.05),
    INTERVAL_HOLDS: Promise(at_least=0.93),
    WITHOUT_CHOICE: Promise(),
    MEAN_INTERVAL_HOLDS: Promise(at_least=0.93),
    MEAN_WITHOUT_CHOICE: Promise(),
    DECIDED_WRONGLY: Promise(at_most=0.05),
    ALL_DECIDED: Promise(),
    FALSE_ONSET: Promise(at_most=0.05),
    RISE_FOUND: Promise(at_least=0.9),
    RISE_SMALL: Promise(),
    RISE_MOST: Promise(),
    BEST_IS_TIED: Promise(at_least=0.95),
}


@dataclass(frozen=True)
class Share:
    """How often something was found, and where: 5 trials, 200 rows."""

    law: str
    where: str
    found: float
    of: int
    """Simulations; 0 if it is computed."""

    @property
    def holds(self) -> bool:
        promise, count = PROMISES[self.law], round(self.found * self.of)
        if promise.at_most is not None:
            return bool(count <= stats.binom.isf(SURELY, self.of, promise.at_most))
        if promise.at_least is not None:
            return bool(count >= stats.binom.ppf(SURELY, self.of, promise.at_least))
        return True

    @property
    def promise(self) -> str:
        return str(PROMISES[self.law])

    @property
    def shown(self) -> str:
        return f"{self.found:.1%}"


@dataclass(frozen=True)
class Amount:
    """A mean that was simulated, in nats, and the most that it is promised to be, if anything."""

    law: str
    where: str
    found: float
    of: int
    at_most: float | None = None
    error: float = 0.0
    """Standard error of the amount less its promise."""
    digits: int = 4

    @property
    def holds(self) -> bool:
        sure = float(stats.norm.isf(SURELY)) * self.error
        return self.at_most is None or self.found <= self.at_most + sure

    @property
    def promise(self) -> str:
        return "–" if self.at_most is None else f"at most {self.at_most:.{self.digits}f}"

    @property
    def shown(self) -> str:
        return f"{self.found:.{self.digits}f}"


Figure = Share | Amount


def missed(figures: list[Figure]) -> list[str]:
    """Return a line for each figure outside its promise."""
    return [
        f"outside its promise: {one.law}: {one.where}: {one.shown}, {one.promise}"
        for one in figures
        if not one.holds
    ]


def table(figures: list[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    head = "| figure | where | found | of | promised |\n|---|---|---:|---:|---:|\n"
    return head + "".join(
        f"| {one.law} | {one.where} | {one.shown} | {one.of:,} | {one.promise} |\n"
        if one.of
        else f"| {one.law} | {one.where} | {one.shown} | computed | – |\n"
        for one in figures
    )
