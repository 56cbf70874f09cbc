"""What may be asked of a job, kind by kind: the fields of a request, checked by type."""

from dataclasses import fields
from typing import Annotated, Any, Literal, Optional, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from sweep.settings import Budget, Settings

_NOT_ASKED = ("stages", "numerics")
"""Settings that come about while a sweep is at work."""
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(max_length=80)]


class RequestPart(BaseModel):
    """A part of a request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def _settings_model() -> type[RequestPart]:
    """Return a model with a field for each setting; one that is left out has its default."""
    kinds = {int: Whole, bool: Flag, float: Real, str: Annotated[str, Field(max_length=4096)]}
    hints, found = get_type_hints(Settings), dict[str, Any]()
    for field in fields(Settings):
        if field.name in _NOT_ASKED:
            continue
        inner = [one for one in getattr(hints[field.name], "__args__", ()) if one in kinds]
        kind = kinds.get(hints[field.name]) or (kinds[inner[0]] if inner else None)
        if kind is not None:
            found[field.name] = (Optional[kind], None)  # noqa: UP045  (a value here)
    return create_model("SettingsAsked", __base__=RequestPart, **found)


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


class StartAsked(JobAsked):
    """A new search."""

    kind: Literal["start"]
    space: SpaceAsked
    sweep: Name | None = None
    """Name of the new sweep; by default the space's name and a number."""
    settings: SettingsAsked = SettingsAsked()  # type: ignore[valid-type]  # made above
    budget: BudgetAsked = BudgetAsked()


class ResumeAsked(JobAsked):
    """A sweep that was stopped or killed goes on."""

    kind: Literal["resume"]
    sweep: Name
    budget: BudgetAsked = BudgetAsked()
    other_numerics: Flag = False


class ExtendAsked(JobAsked):
    """A finished sweep gets more iterations, brackets or epochs."""

    kind: Literal["extend"]
    sweep: Name
    max_epochs: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    add_iterations: Annotated[Whole, Field(ge=0, le=10**6)] = 0
    add_brackets: Annotated[Whole, Field(ge=0, le=10**6)] = 0
    trials: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    """Configurations in all, of a search without rungs."""
    budget: BudgetAsked = BudgetAsked()


class ConfirmAsked(JobAsked):
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
