"""Nothing leaves the machine: a sweep runs in a network of its own, which leads nowhere.

So does the doctor, in `tests/doctor/test_doctor.py`.
"""

import pytest

from tests.support import tiny, warm
from tests.support.cut_off import assert_nothing_tried, cut_off, may_cut_off

COMMANDS = {
    "start": tiny.start("s", "auto"),
    "report": ["report", "--all-charts", "--html", "page.html", "--tensorboard"],
    "confirm": ["confirm", "s", "--top", "1", "--seeds", "1"],
    "test": ["test", "s"],
    "export": ["export", "s", "best.keras"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_tries_to_reach_anything(tmp_path_factory, command):
    if not may_cut_off():
        pytest.skip("no network of its own may be made here")
    place = tmp_path_factory.getbasetemp() / "no-network"
    if command == "start":
        tiny.make_place(place)
    warm.run(place, *COMMANDS[command], before=cut_off)
    assert_nothing_tried(place)
