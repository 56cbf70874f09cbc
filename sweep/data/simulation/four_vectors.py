"""Four-vectors of many particles at once: their components, boosts, decays, and distances.

A four-vector is an array (4, ...) of E, px, py, pz in GeV (c = 1), z along the beam; what follows
the first axis are particles and events. Nothing here knows of a process or of a detector
(`events.py` does). Formulas: Particle Data Group, "Review of Particle Physics", Kinematics.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def four_vector(pt: Floats, eta: Floats, phi: Floats) -> Floats:
    """Massless four-vectors (4, ...) from transverse momentum (GeV), pseudorapidity and azimuth."""
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])


def transverse_momentum(p: Floats) -> Floats:
    """Momentum across the beam, GeV."""
    pt: Floats = np.hypot(p[1], p[2])
    return pt


def pseudorapidity(p: Floats) -> Floats:
    """-ln tan(θ/2), θ the angle to the beam; a momentum along the beam gives ±inf."""
    with np.errstate(divide="ignore"):
        eta: Floats = np.arcsinh(p[3] / transverse_momentum(p))
    return eta


def azimuth(p: Floats) -> Floats:
    """Angle around the beam, in [-π, π]."""
    phi: Floats = np.arctan2(p[2], p[1])
    return phi


def invariant_mass(p: Floats) -> Floats:
    """√(E² - p²), GeV; 0 where rounding makes the square negative."""
    squared = (p[0] - p[3]) * (p[0] + p[3]) - p[1] ** 2 - p[2] ** 2
    mass: Floats = np.sqrt(np.maximum(squared, 0.0))
    return mass


def delta_r(eta_1: Floats, phi_1: Floats, eta_2: Floats, phi_2: Floats) -> Floats:
    """√(Δη² + Δφ²), Δφ the shorter way round."""
    distance: Floats = np.hypot(eta_1 - eta_2, wrapped(phi_1 - phi_2))
    return distance


def wrapped(phi: Floats) -> Floats:
    """The same azimuth in [-π, π)."""
    return (phi + np.pi) % (2 * np.pi) - np.pi


def boosted(p: Floats, frame: Floats) -> Floats:
    """`p`, given where the massive particle `frame` rests, as seen where `frame` has that momentum.

    `boosted(p, reversed_frame(frame))` is the way back: into the rest frame.
    """
    mass = invariant_mass(frame)
    gamma, flight = frame[0] / mass, frame[1:] / mass  # flight: γβ, (3, ...)
    along = flight[0] * p[1] + flight[1] * p[2] + flight[2] * p[3]
    energy = gamma * p[0] + along
    momentum = p[1:] + flight * (along / (gamma + 1.0) + p[0])
    return np.concatenate([energy[np.newaxis], momentum])


def reversed_frame(frame: Floats) -> Floats:
    """The same energy, flying the other way."""
    return np.concatenate([frame[:1], -frame[1:]])


def two_body_decay(
    parent: Floats, mass_1: Floats | float, mass_2: Floats | float, direction: Floats
) -> tuple[Floats, Floats]:
    """The two children (4, ...) of `parent`; their masses in GeV; together exactly the parent.

    `direction` (3, ...) is the unit vector of the first child where the parent rests. Raises
    ValueError where the children are heavier than the parent.
    """
    mass = invariant_mass(parent)
    if np.any(mass < mass_1 + mass_2):
        raise ValueError("a parent is lighter than its children: no such decay")
    squared = (mass**2 - (mass_1 + mass_2) ** 2) * (mass**2 - (mass_1 - mass_2) ** 2)
    momentum = np.sqrt(squared) / (2.0 * mass)
    energy = np.sqrt(momentum**2 + np.square(mass_1))
    child = boosted(np.concatenate([energy[np.newaxis], momentum * direction]), parent)
    return child, parent - child


def unit_vectors(cosine: Floats, phi: Floats) -> Floats:
    """Unit vectors (3, ...) at `cosine` to the z axis and azimuth `phi` around it."""
    sine = np.sqrt(1.0 - cosine**2)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])


def around(axis: Floats, cosine: Floats, phi: Floats) -> Floats:
    """Unit vectors (3, ...) at `cosine` to the unit vectors `axis`, and azimuth `phi` around them.

    The azimuth's origin is of no meaning: draw it uniformly.
    """
    # Duff et al., "Building an orthonormal basis, revisited" (2017): no axis is a special case
    x, y, z = axis
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    across = np.stack([1.0 + sign * x**2 * a, sign * b, -sign * x])
    upright = np.stack([b, sign + y**2 * a, -y])
    local = unit_vectors(cosine, phi)
    turned: Floats = local[0] * across + local[1] * upright + local[2] * axis
    return turned


def isotropic(rng: np.random.Generator, n: int) -> Floats:
    """n unit vectors (3, n), uniform on the sphere."""
    return unit_vectors(rng.uniform(-1.0, 1.0, n), rng.uniform(-np.pi, np.pi, n))


def neutrino_pz(lepton: Floats, px: Floats, py: Floats, w_mass: float) -> tuple[Floats, Floats]:
    """The two pz (GeV) with which a neutrino of that px, py and the massless lepton make a W.

    The one of smaller magnitude first. Where no real pz does, both are the real part of the
    complex pair, and the mass comes out larger than `w_mass`.
    """
    lepton_pt2 = lepton[1] ** 2 + lepton[2] ** 2
    half = w_mass**2 / 2.0 + lepton[1] * px + lepton[2] * py
    inside = np.maximum(half**2 - lepton_pt2 * (px**2 + py**2), 0.0)
    root = np.abs(lepton[0]) * np.sqrt(inside) / lepton_pt2
    centre = half * lepton[3] / lepton_pt2
    near = centre - np.copysign(root, centre)
    far = centre + np.copysign(root, centre)
    return near, far
