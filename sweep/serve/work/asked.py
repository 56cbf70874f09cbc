"""What may be asked of a job, kind by kind: the fields of a request, checked by type."""

from dataclasses import fields
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from sweep.data.own_data import PARTS, OwnData
from sweep.settings import Budget, Settings

_NOT_ASKED = ("stages", "numerics", "programs", "own", "stopping", "sizes")
"""Settings that come about while a sweep is at work, and those that only scripts have."""
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(max_length=80)]
Words = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]
"""Text for an option of a command, which ends at a NUL."""
Rows = Whole | Annotated[str, Field(max_length=40)]
"""How many rows a part has: a number, or a share such as "20%"."""


class RequestPart(BaseModel):
    """A part of a request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def _settings_model() -> type[RequestPart]:
    """Return a model with a field for each setting; one that is left out has its default."""
    found: dict[str, Any] = {}
    for kind in (Settings, OwnData):
        hints = get_type_hints(kind)
        for field in fields(kind):
            if field.name not in _NOT_ASKED:
                shape = Rows if field.name in SIZES else _shape(hints[field.name])
                found[field.name] = (shape | None, None)
    return create_model("SettingsAsked", __base__=RequestPart, **found)


def _shape(hint: Any) -> Any:
    """Return what a request may hold for a setting of a type."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple:
        return Annotated[list[Words], Field(max_length=1000)]
    return {int: Whole, bool: Flag, float: Real, str: Words}[hint]


SIZES = tuple(f"{part}_rows" for part in PARTS)
"""Settings that say how many rows a part of the data has."""
SettingsAsked = _settings_model()
"""Options of `sweep start` that decide a sweep's numbers; 0 epochs of patience mean never."""


class BudgetAsked(RequestPart):
    """When to stop before the plan is done."""

    max_seconds: Annotated[Real, Field(gt=0, le=1e9)] | None = None
    max_trials: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    target: Annotated[Real, Field(gt=0)] | None = None
    max_failures: Annotated[Whole, Field(ge=1, le=10**9)] = Budget.max_failures


class SpaceAsked(RequestPart):
    """A search space by name; with its hash, only what was looked at is run."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class JobAsked(RequestPart):
    """What every kind of job may be given."""

    device: Annotated[str, Field(max_length=20)] = "any"
    priority: Annotated[Whole, Field(ge=0, le=100)] = 50
    preempt: Flag = False
    """Whether a job of lower priority is stopped for it; that one goes on afterwards."""
    held: Flag = False


class WorkersAsked(RequestPart):
    """Who trains."""

    pool: Annotated[str, Field(max_length=20)] | None = None
    """Train in a pool of workers: a number of processes, gpus, ray or ray:NUMBER."""


class PooledAsked(JobAsked, WorkersAsked):
    """What every kind of job that trains may be given."""

    mixed: Flag = False
    """Let workers join that compute under other versions or on other processors."""


class StartAsked(PooledAsked):
    """A new search."""

    kind: Literal["start"]
    space: SpaceAsked
    sweep: Name | None = None
    """Name of the new sweep; by default the space's name and a number."""
    settings: SettingsAsked = SettingsAsked()  # type: ignore[valid-type]  # made above
    budget: BudgetAsked = BudgetAsked()


class ResumeAsked(PooledAsked):
    """A sweep that was stopped or killed goes on."""

    kind: Literal["resume"]
    sweep: Name
    budget: BudgetAsked = BudgetAsked()
    other_numerics: Flag = False


class ExtendAsked(PooledAsked):
    """A finished sweep gets more iterations, brackets or epochs."""

    kind: Literal["extend"]
    sweep: Name
    max_epochs: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    add_iterations: Annotated[Whole, Field(ge=0, le=10**6)] = 0
    add_brackets: Annotated[Whole, Field(ge=0, le=10**6)] = 0
    trials: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    """Configurations in all, of a search without rungs."""
    budget: BudgetAsked = BudgetAsked()


class ConfirmAsked(PooledAsked):
    """The best trials and the baselines are trained again with new seeds."""

    kind: Literal["confirm"]
    sweep: Name
    top: Annotated[Whole, Field(ge=0, le=10**6)] = 8
    seeds: Annotated[Whole, Field(ge=1, le=10**4)] = 5


class TestAsked(JobAsked):
    """One trial is evaluated on the sealed test rows."""

    __test__ = False  # no test of pytest's
    kind: Literal["test"]
    sweep: Name
    rule: Literal["best", "simplest"] = "best"
    trial: Annotated[Whole, Field(ge=0, le=10**9)] | None = None
    ensemble: Flag = False
    again: Flag = False


class ExportAsked(JobAsked):
    """A trial's best model is written as a Keras file."""

    kind: Literal["export"]
    sweep: Name
    trial: Annotated[Whole, Field(ge=0, le=10**9)] | None = None
    ensemble: Flag = False
    retrain: Flag = False


AnyAsked = Annotated[
    StartAsked | ResumeAsked | ExtendAsked | ConfirmAsked | TestAsked | ExportAsked,
    Field(discriminator="kind"),
]
