"""Simulated events of the two processes of HIGGS, so that a sweep can run before any download.

A toy, not HIGGS: the same two processes (P. Baldi, P. Sadowski, D. Whiteson, Nature
Communications 5, 4308, 2014), the same 28 columns and about the same difficulty, with a shower
and a detector of a few lines each. Their constants were fitted until every column's distribution
resembled that of real rows in either class (`benchmarks/simulation.py` measures it). Results on
these events are to be quoted as results on simulated events, never as results on HIGGS.

Here: shower, detector, selection, and the 28 columns. The collisions: `collisions.py`. Momenta,
energies and masses are in GeV until the last function divides them.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sweep.data.columns import N_FEATURES
from sweep.data.simulation.collisions import Partons, collide
from sweep.data.simulation.four_vectors import (
    Bools,
    Floats,
    azimuth,
    delta_r,
    four_vector,
    invariant_mass,
    neutrino_pz,
    pseudorapidity,
    transverse_momentum,
    wrapped,
)

SOURCE_NAME = "built-in simulated events"

_BLOCK_EVENTS = 16_384  # attempted; one in seven is accepted
_SIGNAL_SHARE = 0.48  # of the attempted; 53 % of the accepted, as in HIGGS

_LIGHT, _CHARM, _BOTTOM = 0, 1, 2  # flavours of jets

# Shower, fitted: the share of quarks that radiate a gluon, what it takes, how far it flies in
# eta and in phi; the same for bottom quarks that lose a neutrino.
_GLUON_SHARE, _GLUON_BETA, _GLUON_DISTANCE = 0.13, (1.02, 2.08), 0.89
_NEUTRINO_SHARE, _NEUTRINO_BETA = 0.19, (1.8, 4.1)
_CHARM_SHARE = 0.5  # of the Ws that become quarks

# Detector, fitted; the limits on pT and eta are those that the real rows show.
_LEPTON_RESOLUTION, _LEPTON_PT, _LEPTON_ETA = 0.02, 15.0, 2.5
_JET_SCALE = np.array([0.96, 0.96, 0.93])  # by flavour
_JET_STOCHASTIC, _JET_CONSTANT, _JET_ANGLE = 1.11, 0.078, 0.02
_JET_PT, _JET_ETA, _JET_LOST = 15.0, 3.0, 0.11
_MISSING_NOISE = 6.6  # of px and of py
_JET_ISOLATION, _LEPTON_ISOLATION = 0.5, 0.4  # in ΔR

# Tags of bottom jets, fitted: the full efficiency by flavour, and where it falls.
_TAG_EFFICIENCY = np.array([0.10, 0.37, 0.865])
_TAG_PT = ((15.0, 90.0), (0.46, 1.0))
_TAG_ETA = ((1.02, 1.5, 1.75), (1.0, 0.87, 0.0))
_TIGHT_SHARE = np.array([0.79, 0.80, 0.815])
_TAGS = 2

# Listing and masses, fitted. Real rows list jets nearly, not strictly, by pT.
_LISTING_NOISE, _LISTING_TAGGED = 0.32, -0.15
_LISTED_JETS = 4
_NEAR_ROOT_SHARE = 0.70
_W_MASS, _TOP_MASS = 80.4, 172.5
_W_MASS_NOISE = 0.38  # of a Laplace distribution

# HIGGS divides each momentum and mass by about its mean, each angle by about its spread, and
# each tag by its mean. The lepton's, the angles' and the tags' divisors are read off the real rows
# (their limits, their three values); those of jets, missing energy and masses are fitted.
_LEPTON_UNIT, _MISSING_UNIT = 54.0, 58.0
_LEPTON_ETA_UNIT, _PHI_UNIT = 1.029, 1.802
_JET_UNITS = (107.4, 78.2, 55.3, 39.9)
_JET_ETA_UNITS = (1.01, 1.03, 1.1, 1.2)
_LOOSE_TAGS = (1.0865, 1.1074, 1.2741, 1.5510)  # a tight one is twice that
_MASS_UNITS = (88.2, 177.4, 81.4, 190.1, 127.2, 328.0, 498.0)


def simulate_events(n_rows: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """x (n_rows, 28) in the order of `FEATURES`, and y (n_rows,), 1 for signal.

    Not HIGGS: events of a toy of its two processes. Row i depends on the seed alone, not on
    n_rows. Raises ValueError when n_rows or the seed is negative.
    """
    if n_rows < 0 or seed < 0:
        raise ValueError(f"expected n_rows and seed of 0 or more, received {n_rows} and {seed}")
    x, y = np.empty((n_rows, N_FEATURES), np.float32), np.empty(n_rows, np.uint8)
    done = block = 0
    while done < n_rows:
        features, is_signal = _simulate_block(np.random.Generator(np.random.PCG64([seed, block])))
        taken = min(len(features), n_rows - done)
        x[done : done + taken] = features[:taken]
        y[done : done + taken] = is_signal[:taken]
        done, block = done + taken, block + 1
    return x, y


def _simulate_block(rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Features (accepted, 28) and labels (accepted,) of one block of attempted events."""
    is_signal = rng.random(_BLOCK_EVENTS) < _SIGNAL_SHARE
    partons = collide(rng, is_signal)
    lepton = partons.lepton * (1.0 + _LEPTON_RESOLUTION * rng.standard_normal(_BLOCK_EVENTS))
    seen = transverse_momentum(lepton) > _LEPTON_PT
    seen &= np.abs(pseudorapidity(lepton)) < _LEPTON_ETA
    partons, lepton, is_signal = partons.take(seen), lepton[:, seen], is_signal[seen]
    jets, missing = _measured(rng, partons)
    accepted = _accepted(jets, lepton)
    lepton, missing, jets = lepton[:, accepted], missing[:, accepted], jets.take(accepted)
    jets = _listed(rng, jets)
    return _columns(lepton, missing, jets, _masses(rng, lepton, missing, jets)), is_signal[accepted]


@dataclass(frozen=True)
class _Jets:
    """Jets of n events, each field (jets, n); where `exists` is false, there is none.

    `tag` is 0 (none), 1 (loose) or 2 (tight).
    """

    pt: Floats
    eta: Floats
    phi: Floats
    exists: Bools
    tag: NDArray[np.int8]

    def take(self, chosen: Bools) -> "_Jets":
        """The events where `chosen` (n,) is true."""
        return _Jets(
            self.pt[:, chosen],
            self.eta[:, chosen],
            self.phi[:, chosen],
            self.exists[:, chosen],
            self.tag[:, chosen],
        )

    def pick(self, order: NDArray[np.intp]) -> "_Jets":
        """In each event, the jets at `order` (picked, n)."""
        return _Jets(
            np.take_along_axis(self.pt, order, axis=0),
            np.take_along_axis(self.eta, order, axis=0),
            np.take_along_axis(self.phi, order, axis=0),
            np.take_along_axis(self.exists, order, axis=0),
            np.take_along_axis(self.tag, order, axis=0),
        )


def _measured(rng: np.random.Generator, partons: Partons) -> tuple[_Jets, Floats]:
    """What the detector sees of the partons: jets (12, n), and missing px and py (2, n)."""
    (pt, eta, phi), flavour, unseen = _showered(rng, partons)
    true = pt * np.stack([np.cos(phi), np.sin(phi)])
    resolution = np.sqrt(_JET_STOCHASTIC**2 / np.maximum(pt, 1.0) + _JET_CONSTANT**2)
    factor = _JET_SCALE[flavour] * (1.0 + resolution * rng.standard_normal(pt.shape))
    pt = pt * np.maximum(factor, 0.0)
    eta = eta + _JET_ANGLE * rng.standard_normal(pt.shape)
    phi = wrapped(phi + _JET_ANGLE * rng.standard_normal(pt.shape))
    lost = (true - pt * np.stack([np.cos(phi), np.sin(phi)])).sum(axis=1)
    noise = _MISSING_NOISE * rng.standard_normal(lost.shape)
    exists = (pt > _JET_PT) & (np.abs(eta) < _JET_ETA) & (rng.random(pt.shape) > _JET_LOST)
    jets = _Jets(pt, eta, phi, exists, _tags(rng, pt, eta, flavour) * exists)
    return jets, partons.neutrino[1:3] + unseen + lost + noise


def _showered(
    rng: np.random.Generator, partons: Partons
) -> tuple[Floats, NDArray[np.int8], Floats]:
    """Jets before the detector: pT, eta, phi (3, 12, n); flavour (12, n); and unseen px, py (2, n).

    The jets are the four quarks, a gluon of each, and the recoil jets; pT 0: no such jet.
    """
    quarks = partons.quarks
    n = quarks.shape[-1]
    pt, eta, phi = transverse_momentum(quarks), pseudorapidity(quarks), azimuth(quarks)
    radiates = rng.random((4, n)) < _GLUON_SHARE
    gluon_pt = pt * np.where(radiates, rng.beta(*_GLUON_BETA, (4, n)), 0.0)
    gluon_eta = eta + _GLUON_DISTANCE * rng.standard_normal((4, n))
    gluon_phi = phi + _GLUON_DISTANCE * rng.standard_normal((4, n))
    pt = pt - gluon_pt
    decays = rng.random((2, n)) < _NEUTRINO_SHARE
    neutrino_pt = pt[:2] * np.where(decays, rng.beta(*_NEUTRINO_BETA, (2, n)), 0.0)
    pt[:2] -= neutrino_pt
    unseen = (neutrino_pt * np.stack([np.cos(phi[:2]), np.sin(phi[:2])])).sum(axis=1)
    flavour = np.full((8 + len(partons.recoil[0]), n), _LIGHT, np.int8)
    flavour[:2] = _BOTTOM
    flavour[2] = np.where(rng.random(n) < _CHARM_SHARE, _CHARM, _LIGHT)
    before = np.stack([pt, eta, phi])
    gluons = np.stack([gluon_pt, gluon_eta, gluon_phi])
    return np.concatenate([before, gluons, partons.recoil], axis=1), flavour, unseen


def _tags(
    rng: np.random.Generator, pt: Floats, eta: Floats, flavour: NDArray[np.int8]
) -> NDArray[np.int8]:
    """0, 1 or 2 for each jet."""
    efficiency = _TAG_EFFICIENCY[flavour] * np.interp(pt, *_TAG_PT) * np.interp(abs(eta), *_TAG_ETA)
    is_tagged = rng.random(pt.shape) < efficiency
    is_tight = rng.random(pt.shape) < _TIGHT_SHARE[flavour]
    return np.where(is_tagged, 1 + is_tight, 0).astype(np.int8)


def _accepted(jets: _Jets, lepton: Floats) -> Bools:
    """Whether an event (n,) has four jets or more, two of them tagged, and all objects apart."""
    accepted: Bools = jets.exists.sum(axis=0) >= _LISTED_JETS
    accepted &= (jets.tag > 0).sum(axis=0) == _TAGS
    chosen = np.flatnonzero(accepted)
    jets, lepton = jets.take(accepted), lepton[:, accepted]
    near = delta_r(jets.eta, jets.phi, pseudorapidity(lepton), azimuth(lepton)) < _LEPTON_ISOLATION
    crowded = (near & jets.exists).any(axis=0)
    for i, j in combinations(range(len(jets.pt)), 2):
        near = delta_r(jets.eta[i], jets.phi[i], jets.eta[j], jets.phi[j]) < _JET_ISOLATION
        crowded |= near & jets.exists[i] & jets.exists[j]
    accepted[chosen[crowded]] = False
    return accepted


def _listed(rng: np.random.Generator, jets: _Jets) -> _Jets:
    """The jets in the order in which they are listed; the first four become columns."""
    rank = np.log(np.maximum(jets.pt, 1e-9)) + _LISTING_TAGGED * (jets.tag > 0)
    rank = rank + _LISTING_NOISE * rng.standard_normal(rank.shape)
    order = np.argsort(np.where(jets.exists, -rank, np.inf), axis=0)
    return jets.pick(order)


def _masses(rng: np.random.Generator, lepton: Floats, missing: Floats, jets: _Jets) -> Floats:
    """The seven masses (7, n) in the order of the columns, GeV. Jets count as massless."""
    momenta = four_vector(jets.pt, jets.eta, jets.phi)  # (4, jets, n)
    bottom_1, bottom_2 = _tagged_pair(momenta, jets)
    pair = _w_pair(momenta, jets)
    leptonic = _leptonic_w(rng, lepton, missing)
    # the tagged jet that brings the pair nearer to the top is the pair's; the other is the lepton's
    with_1, with_2 = invariant_mass(pair + bottom_1), invariant_mass(pair + bottom_2)
    first = np.abs(with_1 - _TOP_MASS) < np.abs(with_2 - _TOP_MASS)
    bottoms = bottom_1 + bottom_2
    return np.stack(
        [
            invariant_mass(pair),
            np.where(first, with_1, with_2),
            _noisy_w_mass(rng, invariant_mass(leptonic)),
            invariant_mass(leptonic + np.where(first, bottom_2, bottom_1)),
            invariant_mass(bottoms),
            np.maximum(invariant_mass(pair + bottoms), invariant_mass(leptonic + bottoms)),
            invariant_mass(pair + leptonic + bottoms),
        ]
    )


def _tagged_pair(momenta: Floats, jets: _Jets) -> tuple[Floats, Floats]:
    """Four-vectors (4, n) of the two tagged jets, in the order of the list."""
    events = np.arange(momenta.shape[-1])
    first = np.argmax(jets.tag > 0, axis=0)
    last = len(jets.tag) - 1 - np.argmax(jets.tag[::-1] > 0, axis=0)
    return momenta[:, first, events], momenta[:, last, events]


def _w_pair(momenta: Floats, jets: _Jets) -> Floats:
    """Four-vectors (4, n) of the two untagged jets whose mass is nearest to the W's."""
    usable = jets.exists & (jets.tag == 0)
    nearest = np.full(momenta.shape[-1], np.inf)
    found: Floats = np.zeros((4, momenta.shape[-1]))
    for i, j in combinations(range(momenta.shape[1]), 2):
        pair = momenta[:, i] + momenta[:, j]
        distance = np.abs(invariant_mass(pair) - _W_MASS)
        nearer = usable[i] & usable[j] & (distance < nearest)
        nearest[nearer], found[:, nearer] = distance[nearer], pair[:, nearer]
    return found


def _leptonic_w(rng: np.random.Generator, lepton: Floats, missing: Floats) -> Floats:
    """Lepton and neutrino (4, n), the neutrino's pz one of the two that make a W."""
    px, py = missing
    near, far = neutrino_pz(lepton, px, py, _W_MASS)
    pz = np.where(rng.random(len(px)) < _NEAR_ROOT_SHARE, near, far)
    neutrino: Floats = np.stack([np.sqrt(px**2 + py**2 + pz**2), px, py, pz])
    return lepton + neutrino


def _noisy_w_mass(rng: np.random.Generator, mass: Floats) -> Floats:
    """`mass` (n,), with noise where the neutrino's root made it the W's, as real rows have it."""
    noise = rng.laplace(0.0, _W_MASS_NOISE, len(mass))
    return mass + np.where(np.abs(mass - _W_MASS) < 1e-6, noise, 0.0)


def _columns(lepton: Floats, missing: Floats, jets: _Jets, masses: Floats) -> Floats:
    """The rows (n, 28), in the units of HIGGS."""
    missing_pt, missing_phi = np.hypot(*missing), np.arctan2(missing[1], missing[0])
    columns = [
        transverse_momentum(lepton) / _LEPTON_UNIT,
        pseudorapidity(lepton) / _LEPTON_ETA_UNIT,
        azimuth(lepton) / _PHI_UNIT,
        missing_pt / _MISSING_UNIT,
        missing_phi / _PHI_UNIT,
    ]
    for jet in range(_LISTED_JETS):
        columns += [
            jets.pt[jet] / _JET_UNITS[jet],
            jets.eta[jet] / _JET_ETA_UNITS[jet],
            jets.phi[jet] / _PHI_UNIT,
            jets.tag[jet] * _LOOSE_TAGS[jet],
        ]
    columns += [mass / unit for mass, unit in zip(masses, _MASS_UNITS, strict=True)]
    return np.stack(columns, axis=1)
