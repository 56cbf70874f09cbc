"""The two processes of HIGGS as partons: what comes out of a collision, before any detector.

Signal: gg → H⁰ → W∓ H±, H± → W± h, h → b b̄. Background: t t̄, each t → W b. In both, one W becomes
a lepton and a neutrino, the other one two quarks, and jets radiated before the collision recoil
against all of it. Decays are exact two-body decays; production is a few fitted distributions.
Masses, momenta and energies are in GeV. Four-vectors: `four_vectors.py`; detector: `events.py`.

The Higgs bosons' masses are those of P. Baldi, P. Sadowski, D. Whiteson, Nature Communications
5, 4308 (2014); the other masses and widths are the Particle Data Group's, rounded. What a comment
calls fitted was tuned until simulated columns resembled those of real rows.
"""

from dataclasses import dataclass

import numpy as np

from sweep.data.simulation.four_vectors import (
    Bools,
    Floats,
    around,
    boosted,
    invariant_mass,
    isotropic,
    reversed_frame,
    two_body_decay,
    unit_vectors,
)

# (mass, width); the heavy bosons, which nobody has seen, are narrow
_HEAVY_HIGGS, _CHARGED_HIGGS, _LIGHT_HIGGS = (425.0, 0.5), (325.0, 0.5), (125.0, 0.004)
_TOP, _W = (172.5, 1.4), (80.4, 2.1)
_BOTTOM_MASS = 4.7
_WIDTHS_KEPT = 3.0  # a Breit–Wigner is cut here, so that every decay is possible

# Top pairs, fitted: mass ~ threshold + Gamma(shape, scale); cosine to the beam ~ 1/(1 - s²c²),
# s being this preference times the tops' speed.
_PAIR_THRESHOLD, _PAIR_SHAPE, _PAIR_SCALE = 354.0, 1.45, 90.0
_BEAM_PREFERENCE = 0.84

# Recoil jets, fitted: pT ~ lowest + a power law on the process's scale, up to a most; Gaussian
# pseudorapidity.
_RECOIL_JETS = 4  # at most
_RECOIL_PT, _RECOIL_MOST, _RECOIL_TAIL, _RECOIL_ETA = 10.6, 380.0, 2.61, 2.11
_RECOIL_NOISE = 10.9  # of px and of py: what is too soft to be a jet


@dataclass(frozen=True)
class Partons:
    """Of n events: lepton and neutrino (4, n), quarks b b q q (4, 4, n), recoil jets.

    The recoil jets (3, 4, n) are pT, eta and phi; a pT of 0 says that there is none.
    """

    lepton: Floats
    neutrino: Floats
    quarks: Floats
    recoil: Floats

    def take(self, chosen: Bools) -> "Partons":
        """The events where `chosen` (n,) is true."""
        return Partons(
            self.lepton[..., chosen],
            self.neutrino[..., chosen],
            self.quarks[..., chosen],
            self.recoil[..., chosen],
        )


@dataclass(frozen=True)
class Process:
    """What tells the two processes apart, besides their decays."""

    is_signal: bool
    recoil_rate: float  # mean number of recoil jets; fitted
    recoil_scale: float  # of their pT, GeV; fitted
    rapidity_spread: float  # fitted
    longitudinal: float  # share of longitudinal Ws: all from Higgs bosons, 70 % from tops


SIGNAL = Process(
    is_signal=True, recoil_rate=1.85, recoil_scale=112.0, rapidity_spread=0.80, longitudinal=1.0
)
BACKGROUND = Process(
    is_signal=False, recoil_rate=1.39, recoil_scale=61.0, rapidity_spread=1.12, longitudinal=0.70
)


def collide(rng: np.random.Generator, is_signal: Bools) -> Partons:
    """Partons of one event for each label of `is_signal` (n,)."""
    n_signal = int(is_signal.sum())
    signal = produce(rng, SIGNAL, n_signal)
    background = produce(rng, BACKGROUND, len(is_signal) - n_signal)

    def in_order(ours: Floats, theirs: Floats) -> Floats:
        both = np.empty((*ours.shape[:-1], len(is_signal)))
        both[..., is_signal], both[..., ~is_signal] = ours, theirs
        return both

    return Partons(
        in_order(signal.lepton, background.lepton),
        in_order(signal.neutrino, background.neutrino),
        in_order(signal.quarks, background.quarks),
        in_order(signal.recoil, background.recoil),
    )


def produce(rng: np.random.Generator, process: Process, n: int) -> Partons:
    """n events of a process, before shower and detector."""
    recoil = _recoil_jets(rng, process, n)
    system = _hard_system(rng, process, recoil)
    decay = _higgs_cascade if process.is_signal else _top_pair
    bottoms, ws, parents = decay(rng, system)
    leptonic = rng.integers(0, 2, n)
    events = np.arange(n)
    children = [
        _w_decay(rng, ws[:, which, events], parents[:, which, events], process.longitudinal)
        for which in (leptonic, 1 - leptonic)
    ]
    (lepton, neutrino), quarks = children
    return Partons(lepton, neutrino, np.stack([*bottoms, *quarks], axis=1), recoil)


def _recoil_jets(rng: np.random.Generator, process: Process, n: int) -> Floats:
    """pT, eta and phi (3, 4, n) of the jets radiated before the hard process; pT 0: none."""
    shape = (_RECOIL_JETS, n)
    above = (1.0 + _RECOIL_MOST / process.recoil_scale) ** -_RECOIL_TAIL  # share cut away
    tail = (1.0 - (1.0 - above) * rng.random(shape)) ** (-1.0 / _RECOIL_TAIL) - 1.0
    exists = np.arange(_RECOIL_JETS)[:, np.newaxis] < rng.poisson(process.recoil_rate, n)
    pt = np.where(exists, _RECOIL_PT + process.recoil_scale * tail, 0.0)
    eta = _RECOIL_ETA * rng.standard_normal(shape)
    return np.stack([pt, eta, rng.uniform(-np.pi, np.pi, shape)])


def _hard_system(rng: np.random.Generator, process: Process, recoil: Floats) -> Floats:
    """Four-vectors (4, n) of the heavy Higgs boson or of the top pair."""
    n: int = recoil.shape[-1]
    if process.is_signal:
        mass = _breit_wigner(rng, _HEAVY_HIGGS, n)
    else:
        mass = _PAIR_THRESHOLD + rng.gamma(_PAIR_SHAPE, _PAIR_SCALE, n)
    pt, _, phi = recoil
    px = _RECOIL_NOISE * rng.standard_normal(n) - (pt * np.cos(phi)).sum(axis=0)
    py = _RECOIL_NOISE * rng.standard_normal(n) - (pt * np.sin(phi)).sum(axis=0)
    rapidity = process.rapidity_spread * rng.standard_normal(n)
    across = np.sqrt(mass**2 + px**2 + py**2)
    return np.stack([across * np.cosh(rapidity), px, py, across * np.sinh(rapidity)])


def _breit_wigner(rng: np.random.Generator, peak: tuple[float, float], n: int) -> Floats:
    """n masses (GeV) around a (mass, width), cut."""
    mass, width = peak
    edge = np.arctan(2.0 * _WIDTHS_KEPT)
    return mass + 0.5 * width * np.tan(rng.uniform(-edge, edge, n))


_Decayed = tuple[tuple[Floats, Floats], Floats, Floats]
"""Two bottom quarks (4, n) each; two Ws and their parents (4, 2, n)."""


def _higgs_cascade(rng: np.random.Generator, heavy: Floats) -> _Decayed:
    n: int = heavy.shape[-1]
    w_1, w_2 = _breit_wigner(rng, _W, n), _breit_wigner(rng, _W, n)
    charged_mass = _breit_wigner(rng, _CHARGED_HIGGS, n)
    light_mass = _breit_wigner(rng, _LIGHT_HIGGS, n)
    first_w, charged = two_body_decay(heavy, w_1, charged_mass, isotropic(rng, n))
    second_w, light = two_body_decay(charged, w_2, light_mass, isotropic(rng, n))
    bottoms = two_body_decay(light, _BOTTOM_MASS, _BOTTOM_MASS, isotropic(rng, n))
    return bottoms, np.stack([first_w, second_w], axis=1), np.stack([heavy, charged], axis=1)


def _top_pair(rng: np.random.Generator, pair: Floats) -> _Decayed:
    n: int = pair.shape[-1]
    mass_1, mass_2 = _breit_wigner(rng, _TOP, n), _breit_wigner(rng, _TOP, n)
    speed = np.sqrt(1.0 - np.minimum(2.0 * _TOP[0] / invariant_mass(pair), 1.0) ** 2)
    slope = np.maximum(_BEAM_PREFERENCE * speed, 1e-9)
    cosine = np.tanh(rng.uniform(-1.0, 1.0, n) * np.arctanh(slope)) / slope  # ~ 1/(1 - slope² c²)
    direction = unit_vectors(cosine, rng.uniform(-np.pi, np.pi, n))
    tops = two_body_decay(pair, mass_1, mass_2, direction)
    ws, bottoms = zip(
        *(
            two_body_decay(top, _breit_wigner(rng, _W, n), _BOTTOM_MASS, isotropic(rng, n))
            for top in tops
        ),
        strict=True,
    )
    return bottoms, np.stack(ws, axis=1), np.stack(tops, axis=1)


def _w_decay(
    rng: np.random.Generator, w: Floats, parent: Floats, longitudinal: float
) -> tuple[Floats, Floats]:
    """Two massless children (4, n) of Ws (4, n), a share longitudinal, the others left-handed.

    Longitudinal: sin²; left-handed: (1 - cos)², of the first child's angle to the W's flight.
    """
    n: int = w.shape[-1]
    backwards = boosted(parent, reversed_frame(w))[1:]  # the parent's flight where the W rests
    axis = -backwards / np.sqrt((backwards**2).sum(axis=0))
    u = rng.random(n)
    cosine = np.where(
        rng.random(n) < longitudinal,
        2.0 * np.sin(np.arcsin(2.0 * u - 1.0) / 3.0),
        1.0 - 2.0 * np.cbrt(u),
    )
    return two_body_decay(w, 0.0, 0.0, around(axis, cosine, rng.uniform(-np.pi, np.pi, n)))
