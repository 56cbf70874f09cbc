"""Every example of docs/api.md, run against a service; and its OpenAPI description."""

import re
import shutil
import subprocess

import pytest

from sweep.serve.app import make_app
from tests.support import service as served
from tests.support.service import SPACE
from tests.support.sweeps import store_sweep, trained

PAGE = served.ROOT / "docs" / "api.md"
EXAMPLES = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_example_of_the_page_works(memory_path, forks):
    place = memory_path
    (place / "spaces").mkdir()
    (place / "spaces" / "capacity.py").write_text(SPACE)
    (place / "results" / "stopped").mkdir(parents=True)
    (place / "data").mkdir()
    (place / "data" / "houses.csv").write_text("a,price\n1,2\n")
    store_sweep(
        place / "results" / "stopped" / "sweep.db", [trained(0.7)], name="stopped",
        state="interrupted", space={"name": "capacity", "path": str(place / "spaces/capacity.py"),
                                    "hyperparameters": ["width"]},
    ).close()  # fmt: skip
    options = ("--spaces", "spaces", "--data", "data", "--run-with", forks.quick())
    with served.served(place, *options, forks=forks) as one:
        with one.client() as client:
            client.patch("/api/v1/queue", json={"paused": False})
        environment = served.environment(place) | {
            "SWEEP_URL": one.url, "SWEEP_TOKEN": one.token,
        }  # fmt: skip
        for number, example in enumerate(EXAMPLES):
            if number in (4, 5):
                with one.client() as client:
                    served.until(client, 1)
            if "/jobs/4" in example:
                with one.client() as client:
                    asked = {"kind": "start", "space": {"name": "capacity"}, "held": True}
                    assert client.post("/api/v1/jobs", json=asked).json()["job"] == 4
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", f"{EXAMPLES[0]}\n{example}"],
                cwd=place, env=environment, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, (example, done.stdout, done.stderr)


def test_the_description_is_openapi_and_names_a_scope_for_every_route(service):
    document = make_app(service).openapi()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            assert one.get("description") or one.get("summary"), (method, path)
            assert "security" in one or path in (
                "/livez", "/readyz", "/session", "/metrics",
            ), path  # fmt: skip
