"""The page from which a search is planned and started."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from sweep import words
from sweep.analysis.page.sections import Table
from sweep.errors import InvalidSpaceError, SweepError
from sweep.serve.api.problems import of_error
from sweep.serve.api.who import Reads, Runs, Who
from sweep.serve.pages import new_fields
from sweep.serve.pages.forms import fields, job_of, settings_asked, typed
from sweep.serve.pages.render import page
from sweep.serve.queue import audit
from sweep.serve.work import plans
from sweep.serve.work.ask import AWAITS_APPROVAL, ask, data_files, plan_settings
from sweep.serve.work.asked import BudgetAsked, SettingsAsked

router = APIRouter(include_in_schema=False)
_MOST_IN_ADDRESS = 6000
"""Characters of a form that its page's address may hold."""


@router.get("/new")
def new_page(who: Reads, request: Request) -> Response:
    """The form of a new search, with the plan that was made of it."""
    given = {name: value for name, value in request.query_params.items() if value}
    heard = audit.last_entry(who.service.database)
    number = given.pop("plan", "")
    plan = None
    if number.isdecimal():
        plan = plans.plan(who.service.database, int(number[:9]))
    return _shown(who, request, given, plan, heard=heard)


@router.post("/new")
async def new_search(who: Runs, request: Request) -> Response:
    """Plan a search, or start it, as the button says."""
    given = await fields(request)
    return await run_in_threadpool(_carry_out, who, request, given)


def _carry_out(who: Who, request: Request, given: dict[str, str]) -> Response:
    wanted = given.pop("do", "")
    try:
        return _plan(who, given) if wanted == "plan" else _start(who, given)
    except SweepError as error:
        return _shown(who, request, given, problem=of_error(error))


def _start(who: Who, given: dict[str, str]) -> Response:
    asked = job_of(
        {
            "kind": "start",
            "space": _space(given),
            "sweep": given.get("sweep"),
            "settings": typed(SettingsAsked, given),
            "budget": typed(BudgetAsked, given, new_fields.BUDGET),
            "pool": given.get("pool"),
            "device": given.get("device", "any"),
            "priority": _whole(given.get("priority", "50")),
            "preempt": "preempt" in given,
            "held": "held" in given,
        }
    )
    job = ask(who.service, asked, who.token)
    who.note(job.kind, f"job {job.job}", f"sweep {job.sweep}")
    return RedirectResponse(f"/jobs/{job.job}", status_code=303)


def _plan(who: Who, given: dict[str, str]) -> Response:
    """Begin to make a plan, and go to the page that waits for it."""
    service = who.service
    space = service.shelf.named(**_space(given))
    if not space.is_approved:
        raise InvalidSpaceError(f"search space {space.name} cannot be run: {AWAITS_APPROVAL}")
    asked = settings_asked(typed(SettingsAsked, given))
    settings = plan_settings(service, asked, given.get("pool"))
    path = service.shelf.copied(space)
    number = service.planner.add(space.name, space.sha256, settings)
    who.note("plan", f"space {space.name}", space.sha256)
    service.planner.make(number, path)
    address = urlencode({**given, "plan": number})
    if len(address) > _MOST_IN_ADDRESS:
        raise InvalidSpaceError("the form holds too much; plan it with the API, or start it")
    return RedirectResponse(f"/new?{address}#plan", status_code=303)


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
    heard: int = 0,
) -> Response:
    options = who.service.options
    names = dict.fromkeys(
        ["any", *(text for one in options.devices for text in (one.kind, one.name))]
    )
    context: dict[str, Any] = {
        "parts": ("plan",), "place": f"{heard}..0",
        "spaces": who.service.shelf.all(), "given": given, "devices": list(names),
        "groups": new_fields.groups(given, data_files(options.data)),
        "others": new_fields.others(given),
        "budget": new_fields.budget(given),
        "address": f"{request.url.path}?{request.url.query}",
        "plan": plan, "rungs": None if plan is None else _rungs(plan),
    }  # fmt: skip
    if problem is not None:
        context["problem"] = problem
    return page(who, request, "new", 200 if problem is None else problem["status"], **context)


def _rungs(plan: plans.AskedPlan) -> Table | None:
    if plan.result is None:
        return None
    columns = ("iteration", "bracket", "rung", "trials", "first_epoch", "last_epoch")
    rows = [[words.count(one[name]) for name in columns] for one in plan.result["rungs"]]
    names = ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch")
    return Table(names, rows)
