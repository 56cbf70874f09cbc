"""The page from which a search is planned and started."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from sweep import words
from sweep.analysis.page.sections import Table
from sweep.errors import InvalidSpaceError, SweepError
from sweep.serve.api.problems import of_error
from sweep.serve.api.who import Reads, Runs, Who
from sweep.serve.pages.forms import fields, job_of, settings_asked, typed
from sweep.serve.pages.render import page
from sweep.serve.work import plans
from sweep.serve.work.ask import AWAITS_APPROVAL, ask, settings_of
from sweep.serve.work.asked import BudgetAsked, SettingsAsked
from sweep.settings import Settings

router = APIRouter(include_in_schema=False)
_FIRST = ("search", "max_epochs", "factor", "iterations", "seed", "data", "train_rows")
_PLAN_SECONDS = 60.0
_CHOICES = {"trainer": ("auto", "fused", "keras")}


@router.get("/new")
def new_page(who: Reads, request: Request) -> Response:
    """The form of a new search."""
    given = dict(request.query_params)
    return _shown(who, request, given)


@router.post("/new")
async def new_search(who: Runs, request: Request) -> Response:
    """Plan a search, or start it, as the button says."""
    given = await fields(request)
    return await run_in_threadpool(_carry_out, who, request, given)


def _carry_out(who: Who, request: Request, given: dict[str, str]) -> Response:
    try:
        if given.get("do") == "plan":
            plan = _plan(who, given)
            return _shown(who, request, given, plan=plan)
        return _start(who, given)
    except SweepError as error:
        return _shown(who, request, given, problem=of_error(error))


def _start(who: Who, given: dict[str, str]) -> Response:
    asked = job_of(
        {
            "kind": "start",
            "space": _space(given),
            "sweep": given.get("sweep"),
            "settings": typed(SettingsAsked, given),
            "budget": typed(BudgetAsked, given, "budget-"),
            "device": given.get("device", "any"),
            "priority": _whole(given.get("priority", "50")),
            "preempt": "preempt" in given,
            "held": "held" in given,
        }
    )
    job = ask(who.service, asked, who.token)
    who.note(job.kind, f"job {job.job}", f"sweep {job.sweep}")
    return RedirectResponse(f"/jobs/{job.job}", status_code=303)


def _plan(who: Who, given: dict[str, str]) -> plans.AskedPlan:
    service = who.service
    space = service.shelf.named(**_space(given))
    if not space.is_approved:
        raise InvalidSpaceError(f"search space {space.name} cannot be run: {AWAITS_APPROVAL}")
    settings = settings_of(service, settings_asked(typed(SettingsAsked, given)))  # type: ignore[arg-type]
    path = service.shelf.copied(space)
    number = service.planner.add(space.name, space.sha256, settings)
    who.note("plan", f"space {space.name}", space.sha256)
    service.planner.make(number, path).result(_PLAN_SECONDS)
    return plans.plan(service.database, number)


def _space(given: dict[str, str]) -> dict[str, Any]:
    name, _, sha256 = given.get("space", "").partition(":")
    return {"name": name, "sha256": sha256 or None}


def _whole(text: str) -> Any:
    return int(text) if text.lstrip("-").isdecimal() else text


def _shown(
    who: Who,
    request: Request,
    given: dict[str, str],
    plan: plans.AskedPlan | None = None,
    problem: dict[str, Any] | None = None,
) -> Response:
    devices = who.service.options.devices
    names = dict.fromkeys(["any", *(text for one in devices for text in (one.kind, one.name))])
    context: dict[str, Any] = {
        "spaces": who.service.shelf.all(), "given": given, "devices": list(names),
        "first": [one for one in _inputs(SettingsAsked, given) if one["name"] in _FIRST],
        "rest": [one for one in _inputs(SettingsAsked, given) if one["name"] not in _FIRST],
        "budget": _inputs(BudgetAsked, given, "budget-"),
        "plan": plan, "rungs": None if plan is None else _rungs(plan),
    }  # fmt: skip
    if problem is not None:
        context["problem"] = problem
    return page(who, request, "new", 200 if problem is None else problem["status"], **context)


def _inputs(
    model: type[BaseModel], given: dict[str, str], prefix: str = ""
) -> list[dict[str, Any]]:
    """Return what a form shows of each field: its name, its kind and its default."""
    found = []
    defaults = Settings()
    for name, field in model.model_fields.items():
        default = getattr(defaults, name, field.default if prefix else None)
        kind = str(field.annotation)
        found.append(
            {
                "name": f"{prefix}{name}" if prefix else name,
                "label": name.replace("_", " "),
                "is_flag": "bool" in kind,
                "is_on": default if f"{name}-there" not in given else name in given,
                "choices": _CHOICES.get(name),
                "default": "" if default is None else default,
                "value": given.get(f"{prefix}{name}", ""),
            }
        )
    return found


def _rungs(plan: plans.AskedPlan) -> Table | None:
    if plan.result is None:
        return None
    columns = ("iteration", "bracket", "rung", "trials", "first_epoch", "last_epoch")
    rows = [[words.count(one[name]) for name in columns] for one in plan.result["rungs"]]
    names = ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch")
    return Table(names, rows)
