"""What is found of a space, what is refused, and how many builds that takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError


@pytest.fixture(autouse=True, scope="module")
def _keras(keras: Any) -> None:
    return


def found(build: Callable[[Any], Any]) -> Any:
    from sweep.space.discover import discover
    from sweep.space.explore import Explorer

    return discover(Explorer(Path(__file__), build))


def listed(build: Callable[[Any], Any]) -> list[tuple[str, Any]]:
    """Names with their conditions."""
    from sweep.space.describe import definitions

    return [
        (one.name, when(*((c.name, list(c.values)) for c in one.asked_if)))
        if one.asked_if is not None
        else (one.name, None)
        for one in definitions(found(build))
    ]


def when(*pairs: tuple[str, list[Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "values": values} for name, values in pairs]


def test_a_loop_over_a_count():
    def build(hp):
        for i in range(hp.Int("layers", 1, 3)):
            hp.Int(f"units_{i}", 8, 64, step=8)
        hp.Float("rate", 0.0, 0.5)

    assert listed(build) == [
        ("layers", []),
        ("units_0", []),
        ("units_1", when(("layers", [2, 3]))),
        ("units_2", when(("layers", [3]))),
        ("rate", []),
    ]


def test_a_number_that_decides():
    def build(hp):
        if hp.Choice("width", [8, 16, 32]) > 8 and hp.Float("rate", 0.0, 1.0) > 0.7:
            hp.Int("warmup", 1, 9)
        if hp.Int("rows", 1, 1000) > 600:
            hp.Boolean("large")

    assert {name for name, _ in listed(build)} == {"width", "rate", "warmup", "rows", "large"}


def test_what_two_switches_bring_together():
    def build(hp):
        a, b = hp.Boolean("a"), hp.Boolean("b")
        if a and b:
            hp.Int("both", 1, 9)

    assert dict(listed(build))["both"] == when(("a", [True]), ("b", [True]))


def test_a_condition_that_no_switch_tells_is_said_to_be_unknown():
    def build(hp):
        if hp.Float("rate", 0.0, 1.0) > 0.5:
            hp.Int("more", 1, 9)

    assert dict(listed(build))["more"] is None


def test_a_scope_whose_content_is_asked_for_always():
    def build(hp):
        hp.Choice("optimizer", ["adam", "sgd"])
        with hp.conditional_scope("optimizer", ["sgd"]):
            momentum = hp.Float("momentum", 0.0, 0.9)
        assert (momentum is None) == (hp.get("optimizer") == "adam")

    assert listed(build) == [("optimizer", []), ("momentum", when(("optimizer", ["sgd"])))]


def test_a_scope_far_along_a_range():
    def build(hp):
        hp.Int("width", 1, 1000)
        with hp.conditional_scope("width", [777]):
            hp.Boolean("lucky")

    assert ("lucky", when(("width", [777]))) in listed(build)


def test_two_scopes_on_one_parent_one_inside_the_other():
    def build(hp):
        depth = hp.Int("depth", 0, 2)
        with hp.conditional_scope("depth", [1, 2]):
            for i in range(depth):
                with hp.conditional_scope("depth", list(range(i + 1, 3))):
                    hp.Int(f"w{i}", 8, 32, step=8)

    assert {name for name, _ in listed(build)} == {"depth", "w0", "w1"}


def test_one_name_with_a_range_for_each_branch_stands_once_for_each():
    def build(hp):
        if hp.Choice("optimizer", ["adam", "sgd"]) == "adam":
            hp.Float("rate", 1e-4, 1e-3, sampling="log")
        else:
            hp.Float("rate", 0.1, 1.0, sampling="log")

    assert sorted(listed(build), key=str) == [
        ("optimizer", []),
        ("rate", when(("optimizer", ["adam"]))),
        ("rate", when(("optimizer", ["sgd"]))),
    ]


def test_a_range_that_follows_from_a_value_is_listed_as_its_widest():
    from sweep.space.describe import definitions

    def build(hp):
        hp.Int("second", 8, hp.Int("first", 16, 512, step=16), step=8)

    (_, second) = definitions(found(build))
    assert (second.min_value, second.max_value, second.asked_if) == (8, 512, None)


def test_one_name_with_two_ranges_in_one_model_is_refused_with_both_lines():
    def build(hp):
        hp.Float("rate", 0.0, 0.5)
        hp.Float("rate", 0.0, 0.9)

    line = build.__code__.co_firstlineno
    with pytest.raises(InvalidSpaceError) as caught:
        found(build)
    for word in ("'rate'", f"line {line + 1}", f"line {line + 2}", Path(__file__).name):
        assert word in str(caught.value)


def test_a_name_that_is_asked_for_twice_alike_is_one():
    def build(hp):
        assert hp.Float("rate", 0.0, 0.5) == hp.Float("rate", 0.0, 0.5) == hp.get("rate")

    assert listed(build) == [("rate", [])]


def test_hyperparameters_without_end_are_refused():
    def build(hp):
        name = "x"
        while hp.Boolean(name, default=False):
            name += "x"

    with pytest.raises(InvalidSpaceError, match="after 500 builds"):
        found(build)


def test_a_plain_space_takes_about_as_many_builds_as_its_longest_hyperparameter_has_values():
    def build(hp):
        for name in "abcdefgh":
            hp.Choice(name, [1, 2, 3, 4, 5, 6])

    whole = found(build)
    assert whole.is_flat
    assert whole.n_builds <= 6 + 8 + 4


def test_deep_layers_have_their_values_tried_together():
    def build(hp):
        for layer in range(hp.Int("layers", 1, 20)):
            hp.Int(f"units_{layer}", 32, 512, step=32)

    whole = found(build)
    assert len({one.name for one in whole.declarations}) == 21
    tried = {trace.values.get("units_19") for trace in whole.traces}
    assert tried >= set(range(32, 513, 32))
    assert whole.n_builds <= 20 + 16 + 16 + 4


def test_a_switch_that_cannot_be_built_is_refused_and_a_number_is_not():
    def build(hp):
        if hp.Int("width", 1, 9) > 4:
            raise ValueError("too wide")
        hp.Boolean("bias")

    assert {one.name for one in found(build).declarations} == {"width", "bias"}

    def switched(hp):
        if hp.Choice("kind", ["plain", "broken"]) == "broken":
            raise ValueError("it is broken")

    with pytest.raises(InvalidSpaceError, match=r"fails with .*'broken'.*it is broken"):
        found(switched)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda hp: hp.Choice("kind", ["a", "\ud800"]), r"'\\ud800', which is no valid Unicode"),
        (lambda hp: hp.Boolean("\udfff"), "no valid Unicode"),
        (lambda hp: hp.Fixed("kind", "\ud800"), "no valid Unicode"),
        (lambda hp: hp.Choice("size", [1, 2**63]), "0x8000000000000000, which has more than 64"),
        (lambda hp: hp.Choice("size", [1, 10**6000]), r"of 19932 bits, which has more than 64"),
        (lambda hp: hp.Int("size", -(2**63) - 1, 0), "more than 64 bits"),
        (lambda hp: hp.Fixed("size", 2**70), "more than 64 bits"),
        (lambda hp: hp.Choice("rate", [0.1, float("nan")]), "with NaN, which equals nothing"),
    ],
)
def test_what_no_database_holds_is_refused(ask, said):
    with pytest.raises(InvalidSpaceError, match=said) as caught:
        found(ask)
    assert Path(__file__).name in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("hides", ["first", "switched"])
def test_a_build_whose_asks_change_is_refused(hides):
    turns = iter(range(1000))

    def build(hp):
        if hides == "first" or hp.Boolean("deep"):
            hp.Int(f"width_{next(turns) % 2}", 1, 4)

    with pytest.raises(InvalidSpaceError, match="asks for other hyperparameters with the same"):
        found(build)


def test_a_build_whose_model_changes_is_refused(keras):
    turns = iter(range(1000))

    def build(hp, wrong):
        layers = [keras.Input((3,)), keras.layers.Dense(hp.Choice("width", [2, 3]))]
        model = keras.Sequential([*layers, keras.layers.Dense(1, **wrong(next(turns)))])
        model.compile(loss="mse", optimizer="adam")
        return model

    assert found(lambda hp: build(hp, lambda _: {})).is_flat, "names that Keras counts do not count"
    with pytest.raises(InvalidSpaceError, match=r"another model for the same .*layers differ.*elu"):
        found(lambda hp: build(hp, lambda i: {"activation": ["relu", "elu"][i % 2]}))
    with pytest.raises(InvalidSpaceError, match=r"another model for .*\d+ and \d+ parameters"):
        found(lambda hp: build(hp, lambda i: {"use_bias": i % 3 > 0}))


def test_an_optimizer_that_changes_is_another_model(keras):
    rates = iter(range(1, 1000))

    def build(hp):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(hp.Int("width", 1, 3))])
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(1 / next(rates)))
        return model

    with pytest.raises(InvalidSpaceError, match="compile differ"):
        found(build)


def test_the_same_values_as_numbers_and_as_truth_values_are_told_apart():
    from sweep.searches.draw import ActiveSampler
    from sweep.space.explore import Explorer

    def build(hp):
        hp.Fixed("x", hp.Choice("which", ["a", "b"]) == "a")

    explorer = Explorer(Path(__file__), build)
    sampler = ActiveSampler(lambda answer: explorer.follow(answer).values, 1)
    sampler.mark_as_tried({"which": "a", "x": 1})
    seen = []
    while (values := sampler.draw()) is not None:
        sampler.mark_as_tried(values)
        seen.append(values)
    assert len(seen) == 2


def test_a_condition_that_few_values_meet_is_reached_by_the_numbers_in_the_file():
    def build(hp):
        if 600 < hp.Int("units", 1, 1000) < 620:
            hp.Float("small part", 0.0, 1.0)
        a, b, c = (hp.Choice(name, list(range(8))) for name in "abc")
        if a == 5 and b == 6 and c == 7:
            hp.Float("three together", 0.0, 1.0)

    assert {name for name, _ in listed(build)} >= {"small part", "three together"}


def test_what_no_build_comes_to_is_named_with_its_line():
    def build(hp):
        if hp.Choice("width", [8, 16]) > 16:
            hp.Boolean(
                "never",
            )

    (place,) = found(build).unreached
    assert (place.name, place.last - place.first) == ("'never'", 2)


WITH_IMAGES = False


def test_a_place_behind_a_constant_is_named_and_not_looked_for():
    def build(hp):
        if WITH_IMAGES:
            hp.Int("filters", 8, 64)
        hp.Int("width", 1, 4000)

    def never_run(hp):
        if False:
            hp.Int("filters", 8, 64)
        return 0 if True else hp.Int("width", 1, 4000)

    few = found(build)
    assert [place.name for place in few.unreached] == ["'filters'"]
    assert few.n_builds < 30  # of 200, if it had been looked for
    assert not found(never_run).unreached


def test_a_global_that_a_value_decides_is_looked_behind(tmp_path):
    from sweep.space.unreached import written

    path = tmp_path / "space.py"
    path.write_text("""
deep = wide = False
def choose(hp):
    global deep
    deep = hp.Int("layers", 1, 99) == 77
def build(hp):
    choose(hp)
    if deep:
        hp.Int("behind a value", 1, 2)
    if wide:
        hp.Int("behind a constant", 1, 2)
""")
    fixed = {place.name: place.fixed for place in written(path).places}
    assert fixed == {"'layers'": False, "'behind a value'": False, "'behind a constant'": True}


def test_a_name_that_no_build_asked_for_gets_no_default():
    from sweep.space.asked import Asked, UnforeseenError, unforeseen

    hp = Asked({"width": 16}, unforeseen)
    assert hp.Choice("width", [8, 16]) == 16
    assert hp.Fixed("note", 1) == 1
    with pytest.raises(UnforeseenError, match=r"test_discover.py line \d+ asks for 'rate'"):
        hp.Float("rate", 0.0, 1.0)
