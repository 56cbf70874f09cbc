"""From a request to a job in the queue: all that can be refused is refused here, before a start."""

from pathlib import Path

from sweep.data.kinds import KINDS
from sweep.errors import InvalidSpaceError, LockedError, UsageError
from sweep.pool.places import pool_asked
from sweep.records import Json, SweepState
from sweep.runner.confirm import refuse_unless_over
from sweep.runner.look import look
from sweep.serve.access.tokens import Token, TokenScope
from sweep.serve.queue import jobs
from sweep.serve.queue.job import Job, JobKind, NewJob
from sweep.serve.service import Service
from sweep.serve.work import asked as forms
from sweep.serve.work import plans
from sweep.settings import settings_given
from sweep.sweep_folder import SweepFolder, free_name

_MOST_FILES = 200
AWAITS_APPROVAL = "its search space waits for approval"


def ask(service: Service, asked: forms.AnyAsked, token: Token) -> Job:
    """Enter a job. Raises SweepError, and enters nothing, if it cannot be carried out."""
    check_device(service, asked.device)
    if isinstance(asked, forms.StartAsked):
        new = _start(service, asked)
    else:
        new = _work(service, asked, token)
    with service.database.changing():
        _refuse_other_job(service, new.sweep)
        job = jobs.add(service.database, new, token.name)
    service.wake.set()
    return job


def settings_of(service: Service, asked: forms.RequestPart) -> Json:
    """Return the settings that are given, checked as `sweep start` checks them.

    Raises InvalidSpaceError naming a bad one.
    """
    given: Json = asked.model_dump(exclude_none=True)
    sizes = {name: str(given[name]) for name in forms.SIZES if name in given}
    settings_given(given | sizes)
    if "data" in given:
        given["data"] = _data(service, given["data"])
    return given


def plan_settings(service: Service, asked: forms.RequestPart, pool: str | None) -> Json:
    """Return what a plan is made of: settings, and the pool if there is to be one."""
    found = settings_of(service, asked)
    if pool is not None:
        pool_asked(pool)
        found["pool"] = pool
    return found


def check_device(service: Service, device: str) -> None:
    """Raise InvalidSpaceError if no device suits a job that asks so."""
    known = service.options.devices
    if not any(one.suits(device) for one in known):
        names = ", ".join(dict.fromkeys(["any", *(x for d in known for x in (d.kind, d.name))]))
        raise InvalidSpaceError(f"device is {device!r}, expected one of: {names}")


def _start(service: Service, asked: forms.StartAsked) -> NewJob:
    space = service.shelf.named(asked.space.name, asked.space.sha256)
    settings = settings_of(service, asked.settings)
    workers = _workers(asked)
    name = asked.sweep or _free_name(service, space.name)
    folder = SweepFolder(service.options.results, name)
    if folder.exists:
        raise LockedError(
            f"sweep {name} exists already; continue it with a job of kind resume, or choose "
            "another name"
        )
    service.shelf.copied(space)
    return NewJob(
        kind=JobKind.START,
        sweep=name,
        options={"settings": settings, "budget": _budget(asked.budget), **workers},
        space=space.name,
        space_sha256=space.sha256,
        estimated_seconds=plans.known_seconds(
            service.database, space.sha256, settings | _pool_of(workers)
        ),
        reason=None if space.is_approved else AWAITS_APPROVAL,
        **_common(asked),
    )


def _work(
    service: Service,
    asked: forms.ResumeAsked
    | forms.ExtendAsked
    | forms.ConfirmAsked
    | forms.TestAsked
    | forms.ExportAsked,
    token: Token,
) -> NewJob:
    folder = service.sweep(asked.sweep)
    found = look(folder)
    if found.holder is not None:
        raise LockedError(
            f"sweep {folder.name} is being worked on by {found.holder}; wait for it, or stop it"
        )
    _refuse_foreign_space(service, folder.name, found.sweep.space.path, token)
    kind = JobKind(asked.kind)
    unconfirmed = found.progress.confirmations > found.progress.confirmations_done
    if kind is JobKind.RESUME and found.state is SweepState.FINISHED and not unconfirmed:
        raise UsageError(f"sweep {folder.name} is finished; extend or confirm it")
    if kind is JobKind.EXTEND and found.state is not SweepState.FINISHED:
        raise UsageError(
            f"sweep {folder.name} {found.state.said}, and only a finished one can be extended; "
            "resume the sweep first"
        )
    if kind is JobKind.CONFIRM:
        refuse_unless_over(folder.name, found.state)
    if isinstance(asked, forms.PooledAsked):
        _workers(asked)
    options = asked.model_dump(exclude={"kind", "sweep", "budget", *forms.JobAsked.model_fields})
    options = {name: value for name, value in options.items() if value not in (None, False)}
    if "budget" in type(asked).model_fields:
        options["budget"] = _budget(asked.budget)  # type: ignore[union-attr]  # just looked
    return NewJob(kind=kind, sweep=folder.name, options=options, **_common(asked))


def _workers(asked: forms.PooledAsked) -> Json:
    """Return who trains, as options of a job. Raises UsageError for what no pool is."""
    if asked.pool is not None:
        pool_asked(asked.pool)
    elif asked.mixed:
        raise UsageError("mixed is about the workers of a pool; add pool, or leave it out")
    values = {"pool": asked.pool, "mixed": asked.mixed}
    return {name: value for name, value in values.items() if value}


def _pool_of(workers: Json) -> Json:
    return {name: value for name, value in workers.items() if name == "pool"}


def _common(asked: forms.JobAsked) -> Json:
    return {name: getattr(asked, name) for name in forms.JobAsked.model_fields}


def _budget(asked: forms.BudgetAsked) -> Json:
    return asked.model_dump(exclude_none=True)


def _free_name(service: Service, stem: str) -> str:
    """Return a name that no sweep has and that no job waits for."""
    results = service.options.results
    name, number = free_name(results, stem), 1
    stem = name.rpartition("-")[0]
    while jobs.open_of_sweep(service.database, name) is not None or (results / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name


def _refuse_other_job(service: Service, sweep: str) -> None:
    other = jobs.open_of_sweep(service.database, sweep)
    if other is not None:
        raise LockedError(
            f"job {other.job} ({other.kind}, {other.state}) is for sweep {sweep} already; wait for "
            "it, or cancel it"
        )


def _refuse_foreign_space(service: Service, sweep: str, path: str | None, token: Token) -> None:
    """Raise unless what a job would run was approved: the sweep's own record says where it lies."""
    if not service.shelf.is_ours(path) and not token.allows(TokenScope.CODE):
        raise InvalidSpaceError(
            f"sweep {sweep} would run {path}, which is no search space of this service; a token "
            "with scope code may do that, or put the file into the folder of --spaces"
        )


def data_files(folder: Path | None) -> list[str]:
    """Return what stands in the folder for data: files, and folders of arrays."""
    if folder is None or not folder.is_dir():
        return []
    names = sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
    return names[:_MOST_FILES]


def _data(service: Service, given: str) -> str:
    """Return the data that a job may name: a source by name, or a file of the folder for data."""
    if given in KINDS:
        return given
    folder = service.options.data
    if folder is None:
        raise InvalidSpaceError(
            f"data is {given[:80]!r}, expected auto, builtin or higgs; files may be named if the "
            "service is started with --data FOLDER"
        )
    path, inside = (folder / given).resolve(), folder.resolve()
    if path == inside or not path.is_relative_to(inside) or not path.exists():
        names = ", ".join(data_files(folder)[:20])
        raise InvalidSpaceError(
            f"data is {given[:80]!r}, which is no file of the folder for data; there are: {names}"
        )
    return str(path)
