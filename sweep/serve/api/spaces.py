"""Routes of search spaces: which may be run, the text of one, uploads and their approval."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from sweep.serve.api.models import Page, SpaceOut, SpaceTextOut
from sweep.serve.api.problems import ProblemError
from sweep.serve.api.who import Codes, Reads, Who
from sweep.serve.work.asked import Flag, RequestPart
from sweep.serve.work.shelf import ShelfSpace

router = APIRouter(tags=["spaces"])
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,59}$"


class SpaceUpload(RequestPart):
    """The files of a search space by their names; NAME.py is the space itself."""

    name: Annotated[str, Field(pattern=_NAME)]
    files: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=1_000_000)]],
        Field(min_length=1, max_length=50),
    ]


class Approval(RequestPart):
    """Whether a space may be run."""

    approved: Flag


@router.get("/spaces")
def list_spaces(who: Reads) -> Page[SpaceOut]:
    """The search spaces that jobs may name."""
    return Page(items=[SpaceOut.of(one) for one in who.service.shelf.all()])


@router.get("/spaces/{sha256}")
def get_space(who: Reads, sha256: Sha256) -> SpaceTextOut:
    """The text of a search space: read it before you approve it."""
    found = who.service.shelf.of_hash(sha256)
    return SpaceTextOut(**SpaceOut.of(found).model_dump(), files=_shown(found.texts()))


def _shown(files: dict[str, str]) -> dict[str, str]:
    """Return texts that JSON can hold: bytes that are no UTF-8 are replaced."""
    return {name: text.encode("utf-8", "replace").decode() for name, text in files.items()}


@router.post("/spaces", status_code=201)
def upload_space(who: Codes, asked: SpaceUpload, response: Response) -> SpaceOut:
    """Upload a search space. Nothing runs it until its hash is approved."""
    found = upload(who, asked)
    response.headers["Location"] = f"/api/v1/spaces/{found.sha256}"
    return SpaceOut.of(found)


def upload(who: Who, asked: SpaceUpload) -> ShelfSpace:
    """Keep a search space that waits for approval. Raises ProblemError if none are taken."""
    if not who.service.options.uploads:
        raise ProblemError(
            403, "no-uploads", "this service takes no search spaces; start it with --uploads"
        )
    found = who.service.shelf.upload(asked.name, asked.files, who.token.name)
    who.note("upload", f"space {found.name}", found.sha256)
    return found


@router.put("/spaces/{sha256}/approval")
def approve_space(who: Codes, sha256: Sha256, asked: Approval) -> SpaceOut:
    """Allow an uploaded space to be run, or take that back. Approval is no sandbox."""
    found = who.service.shelf.approve(sha256, who.token.name, approved=asked.approved)
    who.note("approve" if asked.approved else "disapprove", f"space {found.name}", sha256)
    who.service.wake.set()
    return SpaceOut.of(found)
