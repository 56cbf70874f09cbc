"""What decides the last bits of a sweep's numbers, besides its settings, its space and its data.

Two programs of the same text give numbers that differ in the eighth digit if they divide their sums
among another number of threads, or use other instructions of a processor. So a sweep keeps under
what its numbers came about; a later process restores what can be restored, and what else differs is
told by name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated

from sweep.exact import Exactly, Positive, Text

Threads = Annotated[int, Exactly(int, 1, 1024)]

_LISTS = ("XLA_FLAGS", "TF_XLA_FLAGS")
"""Variables that hold a list of flags."""
_NAMES_FILES = re.compile(r"--\w*(cache|dir|dump|log|path|trace)\w*(=.*)?")
_PLAIN_FLAG = re.compile(r"--(tf_)?xla_\w+(=(true|false|-?\d{1,9}))?")

_VARIABLES = frozenset(
    (
        *_LISTS,
        *("TF_ENABLE_ONEDNN_OPTS", "TF_SET_ONEDNN_FPMATH_MODE", "TF_DISABLE_MKL"),
        *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"),
        *("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
        *("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_CUDNN_USE_AUTOTUNE"),
        *("TF_CUDNN_USE_FRONTEND", "TF_CUDNN_USE_RUNTIME_FUSION", "TF_USE_CUBLASLT"),
        *("TF_ENABLE_WINOGRAD_NONFUSED", "TF_FP16_CONV_USE_FP32_COMPUTE"),
        *("TF_ENABLE_AUTO_MIXED_PRECISION", "TF_ENABLE_CUBLAS_TENSOR_OP_MATH"),
        *("NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
        *("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DISABLE_JIT"),
        *("JAX_DEFAULT_PRNG_IMPL", "JAX_THREEFRY_PARTITIONABLE", "JAX_NUMPY_DTYPE_PROMOTION"),
    )
)
"""Environment variables that change what libraries compute, by name: others may hold secrets, and
what is kept stands in reports. What a sweep's database says may come from others, so no value of
these, but for the lists' flags, can name a file."""
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_:]{0,40}")

_WARNED_ONLY = ("keras-sweep",)
"""Packages another version of which is no other arithmetic: what ours compute is held by tests."""


@dataclass(frozen=True)
class Numerics:
    """Under what a sweep's numbers came about."""

    threads: Threads
    """Among so many threads TensorFlow or JAX divides one operation: the order of sums."""
    operations: Threads
    """So many operations TensorFlow runs at the same time."""
    program_bytes: Positive
    """Memory that a program of many trials may take: how many trials it carries follows from it."""
    flags: dict[Text, Text]
    """Environment variables that change what libraries compute, by name."""
    backend: Text
    """Of Keras: tensorflow or jax."""
    floatx: Text
    """Keras' type of numbers."""
    processor: Text
    """Machine, vendor, family and model."""
    features: Text
    """Of the processor: the instructions that arithmetic may use, sorted."""
    caches: Text
    """Of the processor: sizes by level. Products of matrices are cut to fit into them."""
    gpu: Text | None = None
    """Its name; None on a processor."""
    accepted: tuple[Text, ...] = ()
    """What differed when somebody went on all the same: a line each."""


_COMPARED = tuple(field.name for field in fields(Numerics) if field.name != "accepted")


def differences(stored: Numerics, here: Numerics) -> list[str]:
    """Return what differs, a line each that names it: "backend tensorflow → jax"."""
    found = []
    for name in _COMPARED:
        old, new = getattr(stored, name), getattr(here, name)
        if old == new:
            continue
        if name == "features":
            found.append(f"processor features: {_of_words(old, new)}")
        elif name == "flags":
            found += [f"{one} {_shown(old, one)} → {_shown(new, one)}"
                      for one in sorted({*old, *new}) if old.get(one) != new.get(one)]  # fmt: skip
        else:
            found.append(f"{name.replace('_', ' ')} {old or 'none'} → {new or 'none'}")
    return found


def _shown(flags: Mapping[str, str], name: str) -> str:
    return repr(flags[name]) if name in flags else "not set"


def _of_words(old: str, new: str) -> str:
    lost, gained = ({*a.split()} - {*b.split()} for a, b in ((old, new), (new, old)))
    parts = (("without", lost), ("with", gained))
    return ", ".join(f"{word} {' '.join(sorted(words))}" for word, words in parts if words)


def version_differences(
    stored: Mapping[str, str], here: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return the versions that differ and may change numbers, and those that change none.

    Each is a line such as "numpy 2.4.0 → 2.4.1". Of Python the first two numbers count.
    """
    serious: list[str] = []
    slight: list[str] = []
    for name, old in stored.items():
        new = here.get(name)
        if new == old:
            continue
        same = name == "python" and new is not None and _minor(old) == _minor(new)
        kind = slight if same or name in _WARNED_ONLY else serious
        kind.append(f"{name} {old} → {new or 'not used'}")
    return serious, slight


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def flags_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that change what libraries compute; without flags that name files."""
    found = {
        name: _without_files(environment[name]) if name in _LISTS else environment[name]
        for name in sorted(_VARIABLES & {*environment})
    }
    return {name: value for name, value in found.items() if value}


def restored(stored: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return what to set in the environment so that `flags_of` gives what is stored.

    None is for a variable that is to be removed. Stored values may come from others, so a value
    that could name a file, and a variable that is not known to be harmless, is left as it is.
    """
    return dict(_changes(stored, environment))


def _changes(
    stored: Mapping[str, str], environment: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    here = flags_of(environment)
    for name in sorted({*stored, *here}):
        wanted = stored.get(name, "")
        if wanted == here.get(name, "") or not _is_harmless(name, wanted):
            continue
        if name in _LISTS:
            about_files = [flag for flag in environment.get(name, "").split() if _is_file(flag)]
            yield name, " ".join([*wanted.split(), *about_files]) or None
        else:
            yield name, wanted or None


def _is_harmless(name: str, value: str) -> bool:
    if name in _LISTS:
        flags = value.split()
        return all(_PLAIN_FLAG.fullmatch(flag) and not _is_file(flag) for flag in flags)
    return name in _VARIABLES and bool(_PLAIN_VALUE.fullmatch(value))


def _without_files(flags: str) -> str:
    return " ".join(flag for flag in flags.split() if not _is_file(flag))


def _is_file(flag: str) -> bool:
    return bool(_NAMES_FILES.fullmatch(flag))
