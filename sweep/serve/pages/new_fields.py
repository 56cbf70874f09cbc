"""The fields of a new search's form: in groups, with what is there if nothing is typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweep.data.kinds import KINDS
from sweep.data.own_data import CLASS_WEIGHTS, MISSING, TASKS, OwnData
from sweep.serve.work.asked import SIZES, BudgetAsked, SettingsAsked
from sweep.settings import SEARCHES, TRAINERS, Settings

BUDGET = "budget-"
"""Before the names of a budget's fields, which has some of the settings' names."""
_FIRST = {
    "Data": (
        "data", "label", "task", "split", "missing", "train_rows", "validation_rows", "test_rows",
    ),
    "Search": ("search", "max_epochs", "factor", "iterations", "trials", "objective", "seed"),
}  # fmt: skip
_CHOICES = {
    "search": SEARCHES, "trainer": TRAINERS, "task": TASKS, "missing": MISSING,
    "class_weight": CLASS_WEIGHTS, "header": ("", "yes", "no"), "standardize": ("", "yes", "no"),
}  # fmt: skip
_HINTS = {
    "data": "auto is HIGGS if it is cached, else built-in events",
    "label": "column to predict, by name or position; several with commas",
    "task": "what the label is",
    "split": "shuffled, ordered, or group:COLUMN",
    "missing": "what takes the place of missing numbers",
    "train_rows": "a number, or a share such as 60%",
    "validation_rows": "a number, or a share such as 20%",
    "test_rows": "kept sealed; a number or a share",
    "max_epochs": "of a trial that reaches the last rung",
    "factor": "at each cut, Hyperband keeps one trial in this number",
    "iterations": "of Hyperband; 0 trains the baselines only",
    "trials": "of a search other than hyperband",
    "objective": "loss, accuracy, auc, mae, mse, rmse, r2, or a metric of the models",
    "drop": "columns to leave out",
    "patience": "epochs without a better score; 0 for never",
    "max_seconds": "stop after so long; it can go on later",
    "target": "stop at this validation score",
}
_UNSAID = {"missing": "refuse them", "class_weight": "none", "task": "told from the label"}
_OWN_SAY = "told from the file"
"""What stands for a choice that is not made."""


@dataclass(frozen=True)
class FormField:
    """A field of a form. `value` is what was typed, `default` what holds if nothing is."""

    name: str
    label: str
    value: str
    default: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Of a list: values with their words."""
    is_flag: bool = False
    is_on: bool = False


def groups(given: Mapping[str, str], files: list[str]) -> list[tuple[str, list[FormField]]]:
    """Return the settings that are shown first, group by group. `files` may be named as data."""
    return [
        (name, [_input(one, given, files) for one in fields]) for name, fields in _FIRST.items()
    ]


def others(given: Mapping[str, str]) -> list[FormField]:
    """Return the settings that few need."""
    first = {name for fields in _FIRST.values() for name in fields}
    return [_input(name, given, []) for name in SettingsAsked.model_fields if name not in first]


def budget(given: Mapping[str, str]) -> list[FormField]:
    """Return when the search is to stop before its plan is done."""
    return [
        FormField(
            f"{BUDGET}{name}", _words(name), given.get(f"{BUDGET}{name}", ""),
            _text(field.default), _HINTS.get(name, ""),
        )
        for name, field in BudgetAsked.model_fields.items()
    ]  # fmt: skip


def _input(name: str, given: Mapping[str, str], files: list[str]) -> FormField:
    default = None if name in SIZES else _default(name)  # of a file they are others
    choices = tuple((one, one or _UNSAID.get(name, _OWN_SAY)) for one in _CHOICES.get(name, ()))
    if name == "data":
        choices = tuple((one, one) for one in (*KINDS, *files))
    is_flag = isinstance(default, bool)
    is_on = (name in given) if f"{name}-there" in given else bool(default)
    return FormField(
        name, _words(name), given.get(name, ""), _text(default), _HINTS.get(name, ""), choices,
        is_flag and not choices, is_on,
    )  # fmt: skip


def _default(name: str) -> Any:
    """Return what a setting is if nothing is asked for; None where the data say."""
    return getattr(OwnData() if hasattr(OwnData, name) else Settings(), name)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    return "" if value is None or value == () else str(value)
