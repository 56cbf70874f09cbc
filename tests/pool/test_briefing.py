"""What workers are told once: rows that each host has by itself must be those of the head."""

from sweep.data.own_data import OwnData
from sweep.data.split import load_split
from sweep.pool.briefing import Briefing, SpaceSources, bytes_of
from sweep.settings import Settings
from sweep.tasks.scoring import Scoring
from tests.support import tiny


def test_rows_of_the_hosts_own_are_those_of_the_head(tmp_path, monkeypatch):
    place = tiny.make_place(tmp_path / "here")
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    data, sizes = str(place / "rows.csv"), {"train_rows": 240, "validation_rows": 60}
    split = load_split(data, **sizes, test_rows=20, own=OwnData(), cache_dir=tmp_path / "of-head")
    settings = Settings(data=data, **sizes, test_rows=20)
    space = SpaceSources(place / "tiny.py", "", {}, {}, None, 2)
    briefing = Briefing(space, settings, Scoring(), split.fingerprint, {})
    assert briefing.names_rows
    assert briefing.own_rows().fingerprint == split.fingerprint
    assert bytes_of(split) == 300 * (28 + 1) * 4
