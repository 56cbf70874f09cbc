"""Routes of plans: what a search would train, and about how long that takes."""

from concurrent.futures import TimeoutError as TooLongError
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from sweep.errors import InvalidSpaceError
from sweep.serve.api import paging
from sweep.serve.api.models import PlanOut
from sweep.serve.api.who import Reads, Runs, Who
from sweep.serve.queue.answers import RequestAnswer, once
from sweep.serve.work import plans
from sweep.serve.work.ask import AWAITS_APPROVAL, plan_settings
from sweep.serve.work.asked import SettingsAsked, SpaceAsked, WorkersAsked

router = APIRouter(tags=["plans"])
_PATIENCE_SECONDS = 10.0


class PlanAsked(WorkersAsked):
    """What a plan is asked for: a space and settings, as a start has them."""

    space: SpaceAsked
    settings: SettingsAsked = SettingsAsked()  # type: ignore[valid-type]  # made from Settings


@router.post("/plans", status_code=200, response_model=PlanOut, responses={202: {"model": PlanOut}})
async def add_plan(
    who: Runs,
    request: Request,
    response: Response,
    asked: PlanAsked,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)
    ] = None,
) -> Any:
    """Make a plan: answered at once if it is ready within 10 seconds, else 202 and Location."""
    from starlette.concurrency import run_in_threadpool

    body = await request.body()
    return await run_in_threadpool(_add, who, response, asked, key, body)


def _add(who: Who, response: Response, asked: PlanAsked, key: str | None, body: bytes) -> Any:
    service, made = who.service, []

    def make() -> RequestAnswer:
        space = service.shelf.named(asked.space.name, asked.space.sha256)
        if not space.is_approved:
            raise InvalidSpaceError(f"search space {space.name} cannot be run: {AWAITS_APPROVAL}")
        settings = plan_settings(service, asked.settings, asked.pool)
        path = service.shelf.copied(space)
        number = service.planner.add(space.name, space.sha256, settings)
        made.append((number, path))
        who.note("plan", f"space {space.name}", space.sha256)
        return RequestAnswer(202, f"/api/v1/plans/{number}", {"plan": number})

    answer = once(service.database, key, who.token.name, "/plans", body, make)
    for number, path in made:
        with suppress(TooLongError):
            service.planner.make(number, path).result(_PATIENCE_SECONDS)
    found = plans.plan(service.database, answer.body["plan"])
    if found.state == "running":
        response.status_code = 202
    response.headers["Location"] = answer.location or ""
    return PlanOut.of(found)


@router.get("/plans/{plan}")
def get_plan(who: Reads, plan: paging.Number) -> PlanOut:
    """A plan that was asked for."""
    return PlanOut.of(plans.plan(who.service.database, plan))
