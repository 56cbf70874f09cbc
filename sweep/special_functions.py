"""SciPy's special functions that are used here, without NumPy's interface to Fortran.

`scipy.special` looks at every name of NumPy when it is imported, and NumPy imports `numpy.f2py`
when somebody looks at that name: half of the time.
"""

import sys
from types import ModuleType

import numpy as np


def _import_lightly() -> None:
    """Import `scipy.special` while an empty module stands in the place of `numpy.f2py`."""
    if "numpy.f2py" in sys.modules or "scipy.special" in sys.modules:
        return
    np.f2py = ModuleType("numpy.f2py")
    try:
        import scipy.special  # noqa: F401
    finally:
        del np.f2py  # from now on NumPy imports the real one when it is looked at


_import_lightly()

from scipy.special import expit, logit, ndtr, ndtri, stdtr, stdtrit  # noqa: E402

__all__ = ["expit", "logit", "ndtr", "ndtri", "stdtr", "stdtrit"]
