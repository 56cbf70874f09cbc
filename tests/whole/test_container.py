"""The Dockerfile, compose.yaml and requirements agree with each other and with the program.

That the image builds and runs is shown by `make container-test`, which takes minutes.
"""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from sweep.cli import options
from sweep.cli.app import app
from sweep.serve.options import ServeOptions

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
RELEASE_SECONDS = 10  # within which a sweep saves its state after SIGTERM


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (KEYWORD, rest) pairs: comments dropped, continued lines joined."""
    lines = [
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    joined = "\n".join(lines).replace("\\\n", " ")
    pairs = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(keyword, rest.strip()) for keyword, rest in pairs]


def stages() -> list[list[tuple[str, str]]]:
    """The instructions after each FROM, which comes first."""
    found: list[list[tuple[str, str]]] = []
    for pair in instructions():
        if pair[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(pair)
    return found


def values(keyword: str) -> list[str]:
    """What stands behind a keyword, wherever it occurs in the image's stage."""
    return [rest for word, rest in stages()[-1] if word == keyword]


def arguments() -> dict[str, str]:
    """Build arguments and their defaults."""
    pairs = [rest.partition("=") for word, rest in instructions() if word == "ARG"]
    return {name: default for name, equals, default in pairs if equals}


def environment() -> dict[str, str]:
    words = [word for rest in values("ENV") for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def compose() -> dict[str, Any]:
    return YAML(typ="safe").load(ROOT / "compose.yaml")  # type: ignore[no-any-return]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=variables or None, capture_output=True, text=True, check=False
    )


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    done = run(str(BIN / "hadolint"), "Dockerfile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_follows_the_compose_specification() -> None:
    done = run(
        str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_entrypoint_is_the_programs_command_in_exec_form() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (entrypoint,) = values("ENTRYPOINT")
    assert json.loads(entrypoint) == list(scripts)
    assert values("STOPSIGNAL") == ["SIGTERM"]


def test_the_volumes_are_where_the_program_looks() -> None:
    found = environment()
    (volumes,) = values("VOLUME")
    assert json.loads(volumes) == [found["SWEEP_CACHE"], found["SWEEP_RESULTS"]]
    read = {get_args(option)[1].envvar for option in (options.CacheOption, options.ResultsOption)}
    assert read == {"SWEEP_CACHE", "SWEEP_RESULTS"}


def test_what_libraries_write_goes_to_tmp_so_that_the_root_may_be_read_only() -> None:
    for name in ("HOME", "MPLCONFIGDIR"):
        assert Path("/tmp") in [Path(environment()[name]), *Path(environment()[name]).parents]


def test_the_image_runs_as_a_user_without_rights() -> None:
    user, _, group = values("USER")[-1].partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_health_check_is_a_command_that_answers_without_tensorflow(tmp_path: Path) -> None:
    (check,) = values("HEALTHCHECK")
    program, *command = json.loads(check.partition("CMD")[2])
    assert program == "sweep"
    assert command[0] in get_command(app).commands  # type: ignore[attr-defined]
    code = (
        "import sys; from sweep.cli import main; sys.argv[0] = 'sweep'\n"
        "try: main()\n"
        "finally: print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = run(sys.executable, "-c", code, *command, SWEEP_RESULTS=str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]"), done.stderr


def test_the_base_is_a_python_that_the_project_supports() -> None:
    version = re.fullmatch(r"python:3\.(\d+)-slim-\w+", arguments()["BASE_IMAGE"])
    assert version is not None
    assert 11 <= int(version[1]) <= 13


def test_everything_copied_exists_and_is_let_through_by_the_dockerignore_file() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source.replace("${REQUIREMENTS}", arguments()["REQUIREMENTS"]).rstrip("/")
        for word, rest in instructions()
        if word == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    }
    assert {name.partition("/")[0] for name in copied} == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_requirements_named_for_the_image_exist() -> None:
    builds = [
        service["build"]["args"]["REQUIREMENTS"] for service in compose()["services"].values()
    ]
    for name in (arguments()["REQUIREMENTS"], *builds):
        assert (ROOT / name).is_file(), name
    dockerfile = (ROOT / "Dockerfile").read_text()
    for name in re.findall(r"requirements/[\w.-]+\.txt", dockerfile):
        assert (ROOT / name).is_file(), name


def test_the_gpu_variant_adds_cuda_and_changes_no_version() -> None:
    pinned = {
        path.stem: set(re.findall(r"(?m)^([\w.-]+==\S+)", path.read_text()))
        for path in REQUIREMENTS
    }
    assert pinned["cpu"] <= pinned["gpu"]
    added = {pin.partition("==")[0] for pin in pinned["gpu"] - pinned["cpu"]}
    assert "nvidia-cudnn-cu12" in added
    assert all(name.startswith("nvidia-") for name in added)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes_and_without_an_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    for requirement in text.replace("\\\n", " ").splitlines():
        assert re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_the_container_files_name_no_address() -> None:
    for name in ("Dockerfile", "compose.yaml", ".dockerignore", "tests/container/run.sh"):
        assert "://" not in (ROOT / name).read_text(), name


@pytest.mark.parametrize("variant", ["cpu", "gpu", "serve"])
def test_a_service_is_confined_and_has_time_to_save_its_state(variant: str) -> None:
    service = compose()["services"][variant]
    requirements = "gpu" if variant == "gpu" else "cpu"
    assert service["build"]["args"]["REQUIREMENTS"] == f"requirements/{requirements}.txt"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["init"] is True
    assert "/tmp" in service["tmpfs"]
    grace = re.fullmatch(r"(\d+)s", service["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) > RELEASE_SECONDS
    found = environment()
    mounted = {volume.partition(":")[2] for volume in service["volumes"]}
    assert mounted == {found["SWEEP_CACHE"], found["SWEEP_RESULTS"]}


def test_only_the_gpu_service_reserves_a_gpu() -> None:
    services = compose()["services"]
    assert "deploy" not in services["cpu"]
    (device,) = services["gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


def test_the_services_page_is_published_for_this_machine_alone_and_asked_whether_it_is_ready(
    tmp_path: Path,
) -> None:
    service = compose()["services"]["serve"]
    assert service["ports"] == ["127.0.0.1:8765:8765"]
    command, options = service["command"][0], service["command"][1:]
    given = {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in zip(options[::2], options[1::2], strict=True)
    }
    assert command == "serve"
    ServeOptions(results=tmp_path, **given)  # which refuses what others could listen to
    python, dash_c, program = service["healthcheck"]["test"][1:]
    assert (python, dash_c) == ("python", "-c")
    assert "8765" in program
    assert "/readyz" in program
    compile(program, "healthcheck", "exec")


def test_build_arguments_shown_in_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"--build-arg (\w+)=", readme)) <= set(arguments())
