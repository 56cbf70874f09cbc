"""Makes docs/gallery/service.png: the page of a sweep while it is trained, as a browser shows it.

    python docs/gallery/service.py       (needs Chromium; a few minutes)

`sweep serve` in a temporary folder, a search on the built-in data asked for over HTTP, and a
picture once two thirds of it are done.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDTH, HEIGHT = 1000, 1180
COLOURS = 48
"""Of the picture: so few make it a third as large, and nobody sees it."""
SEARCH = {
    "kind": "start", "space": {"name": "capacity"}, "sweep": "first",
    "settings": {"data": "builtin", "max_epochs": 9},
}  # fmt: skip
SHARE = 0.66


def main() -> None:
    """Serve, search, look."""
    place = Path(tempfile.mkdtemp(prefix="sweep-picture-"))
    command = [sys.executable, "-m", "sweep", "serve", "--port", "8799"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            _wait(address)
            _look(address)
        finally:
            process.terminate()
    shutil.rmtree(place)


def _wait(address: str) -> None:
    """Ask for the search, and wait until enough of it is done."""
    url, _, token = address.partition("/signin#token=")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        client.post("/api/v1/jobs", json=SEARCH).raise_for_status()
        while True:
            answer = client.get("/api/v1/sweeps/first")
            if answer.status_code == 200:
                found = answer.json()
                done = found["progress"]["epochs"] / found["progress"]["epochs_planned"]
                if done > SHARE or found["state"] == "finished":
                    return
            time.sleep(0.5)


def _look(address: str) -> None:
    """Open the page as a person does, and keep the picture."""
    url = address.partition("/signin")[0]
    path = HERE / "service.png"
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(address)
        page.wait_for_url(f"{url}/")
        page.goto(f"{url}/sweeps/first")
        page.screenshot(path=path)
        browser.close()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
