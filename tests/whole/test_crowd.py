"""Many commands at once on one results folder: no error, no wrong number."""

from tests.support import tiny
from tests.support.crowd import crowd


def test_sweeps_beside_each_other_and_watched_are_the_same_as_alone(tiny_place, tmp_path):
    place = tiny.make_place(tmp_path)
    seen = crowd(place, "keras", n_sweeps=1, n_lookers=1)
    assert seen.errors == []
    assert seen.looks > 3
    refused = {2, 9}  # the name is taken, or locked by the other
    assert seen.codes_of_one_name[0] == 0 and seen.codes_of_one_name[1] in refused
    alone = tiny.contents(tiny_place, "whole")
    elsewhere = {"sweep.space", "sweep.data", "sweep.settings"}  # they name another folder
    for name in ("one-0", "twin"):
        assert {*tiny.differences(alone, tiny.contents(place, name))} <= elsewhere
