"""Under what this process computes: set before TensorFlow is imported, looked up afterwards.

TensorFlow and JAX read threads and flags from the environment alone, so these are set here and not
at the command line's edge, where all else that concerns the environment is.
"""

import os
import platform
import re
from collections.abc import MutableMapping
from pathlib import Path

from sweep.errors import PlatformError
from sweep.numerics import Numerics, flags_of, restored

_THREADS, _OPERATIONS = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
_THREADS_OF_JAX = "NPROC"
_VECTOR_WIDTH = "--xla_cpu_prefer_vector_width"
"""XLA takes half of an AVX-512 core's width unless told: 1.1 times the time at 512 units."""

_ARITHMETIC = re.compile(
    r"sse\w*|ssse3|avx\w*|fma\d?|f16c|amx\w*|bmi\d|fp|fphp|asimd\w*|neon\w*|sve\w*|sme([\d_]\w*)?|bf16|i8mm"
)
"""Flags of processors that name instructions which compute; the others come and go with kernels."""
_MODEL = ("vendor_id", "model name", "cpu family", "model", "CPU implementer", "CPU part")
_INFO = Path("/proc/cpuinfo")
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def fix_numerics(stored: Numerics | None, environment: MutableMapping[str, str]) -> None:
    """Set threads and flags, before TensorFlow or JAX is imported.

    Those that are stored; without any, as many threads as there are usable cores, which is what
    TensorFlow would take by itself, unless the environment says another number.
    """
    if stored is not None:
        for name, value in restored(stored.flags, environment).items():
            if value is None:
                del environment[name]
            else:
                environment[name] = value
        threads, operations = stored.threads, stored.operations
    else:
        cores = len(os.sched_getaffinity(0))
        threads = _count(environment, _THREADS) or _count(environment, _THREADS_OF_JAX) or cores
        operations = _count(environment, _OPERATIONS) or max(2, cores)
        if _VECTOR_WIDTH not in environment.get("XLA_FLAGS", ""):
            flags = f"{environment.get('XLA_FLAGS', '')} {_VECTOR_WIDTH}=512"
            environment["XLA_FLAGS"] = flags.strip()
    environment[_THREADS] = environment[_THREADS_OF_JAX] = str(threads)
    environment[_OPERATIONS] = str(operations)


def numerics_here(environment: MutableMapping[str, str], program_bytes: int) -> Numerics:
    """Return under what this process computes. Needs Keras to be started."""
    import keras

    return Numerics(
        threads=int(environment[_THREADS]),
        operations=int(environment[_OPERATIONS]),
        program_bytes=program_bytes,
        flags=flags_of(environment),
        backend=keras.backend.backend(),
        floatx=keras.config.floatx(),
        processor=_processor(),
        features=_features(),
        caches=_caches(),
        gpu=_gpu(),
    )


def _count(environment: MutableMapping[str, str], name: str) -> int:
    """The number that a variable says; 0 if it says none."""
    text = environment.get(name, "").strip() or "0"
    if not text.isdecimal() or int(text) > 1024:
        raise PlatformError(f"{name} is {text!r}, expected a number of threads up to 1024")
    return int(text)


def _info() -> dict[str, str]:
    """What Linux says of the first core; nothing elsewhere."""
    try:
        text = _INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _processor() -> str:
    info = _info()
    words = [platform.machine(), *(f"{name} {info[name]}" for name in _MODEL if name in info)]
    return ", ".join(words)


def _features() -> str:
    info = _info()
    flags = info.get("flags") or info.get("Features") or ""
    return " ".join(sorted(flag for flag in flags.split() if _ARITHMETIC.fullmatch(flag)))


def _caches() -> str:
    found = []
    for folder in sorted(_CACHES.glob("index*")):
        try:
            level, kind, size = (
                (folder / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found) or "unknown"


def _gpu() -> str | None:
    """The name of the GPU that programs run on."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else str(device.device_kind)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", gpus[0].name))
