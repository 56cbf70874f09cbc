"""What is known of cached arrays: a JSON file beside them that says where they come from.

The manifest is the truth: arrays that do not match it are refused (see cache.py).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweep.data.ranges import default_ranges
from sweep.errors import DataError

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """Where data come from."""

    kind: str
    """higgs, file or builtin."""
    source: str
    """Name for people; stands in every report."""
    address: str
    """Where it was fetched from, or the path it was imported from."""
    seed: int | None = None
    """Of the simulation, for builtin."""


@dataclass(frozen=True)
class Manifest:
    """An origin, and the arrays made from it."""

    origin: Origin
    rows: int
    n_signal: int
    sha256_x: str
    """Of the bytes of x, (rows, 28) little-endian float32 in C order."""
    sha256_y: str
    """Of the bytes of y, (rows,) uint8."""
    folder: str
    """Name of the folder with x.npy and y.npy, beside the manifest."""
    created: str
    """ISO 8601, UTC."""

    def to_json(self) -> dict[str, Any]:
        ranges = default_ranges(self.rows, self.origin.source)
        return {
            "format": FORMAT_VERSION,
            **asdict(self.origin),
            "rows": self.rows,
            "row_ranges": None if ranges is None else ranges.to_json(),
            "sha256": {"x": self.sha256_x, "y": self.sha256_y},
            "class_balance": {"signal": self.n_signal, "background": self.rows - self.n_signal},
            "folder": self.folder,
            "created": self.created,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Manifest":
        """Return the manifest in a JSON object.

        Raises KeyError, TypeError or ValueError if the object is no manifest.
        """
        manifest = cls(
            origin=Origin(
                kind=str(values["kind"]),
                source=str(values["source"]),
                address=str(values["address"]),
                seed=values["seed"],
            ),
            rows=int(values["rows"]),
            n_signal=int(values["class_balance"]["signal"]),
            sha256_x=str(values["sha256"]["x"]),
            sha256_y=str(values["sha256"]["y"]),
            folder=str(values["folder"]),
            created=str(values["created"]),
        )
        if manifest.folder != Path(manifest.folder).name or manifest.rows < 1:
            raise ValueError(f"folder {manifest.folder!r}, {manifest.rows} rows")
        return manifest


def read_manifest(path: Path, remedy: str) -> Manifest | None:
    """Return the manifest in `path`, or None if there is no such file.

    Raises DataError, ending with `remedy`, when it cannot be understood.
    """
    try:
        values = json.loads(path.read_bytes())
        found = values["format"]
        if found != FORMAT_VERSION:
            raise DataError(
                f"{path} has format {found}, this version of sweep reads {FORMAT_VERSION}; {remedy}"
            )
        return Manifest.from_json(values)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); {remedy}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is damaged: it is no manifest; {remedy}") from error
