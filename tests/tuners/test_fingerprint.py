"""A build is another if it does something else; not if its text stands elsewhere."""

from typing import Any

from sweep.tuners.fingerprint import changed_parts, fingerprint_of

PLAIN = """
WIDTH = {width}
def helper(hp):
    return hp.Int("a", 1, WIDTH)
def build(hp):
    {comment}
    return helper(hp) + {more}
"""


def made(width: int = 3, comment: str = "'''doc'''", more: int = 1, first: str = "") -> Any:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(first + PLAIN.format(width=width, comment=comment, more=more), names)
    return names["build"]


def sha(build: Any) -> str:
    return fingerprint_of({"build": build})[0]


def test_comments_lines_and_other_names_do_not_count():
    assert sha(made()) == sha(made(first="\n\nother = 3\n", comment="'''another'''"))


def test_code_functions_and_values_that_are_used_count():
    same = sha(made())
    assert same != sha(made(more=2)) and same != sha(made(width=4))
    before = fingerprint_of({"build": made()})[1]
    after = fingerprint_of({"build": made(width=4)})[1]
    assert changed_parts(before, after) == ["helper", "build"]


def test_closures_and_objects_count():
    def outer(n: Any) -> Any:
        return lambda hp: hp.Int("a", 1, n)

    assert sha(outer(3)) == sha(outer(3)) != sha(outer(4))

    class Model:
        def __init__(self, n: int) -> None:
            self.n = n

        def build(self, hp: Any) -> Any:
            return hp.Int("a", 1, self.n)

    assert sha(Model(3)) == sha(Model(3)) != sha(Model(4))


NOTES = """
seen, last, count = [], {}, 0
def build(hp):
    global count
    count += 1
    seen.append(hp)
    last["hp"] = hp
    return hp
"""


def test_what_a_build_notes_is_no_part_of_it():
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(NOTES, names)
    before = sha(names["build"])
    names["build"](3)
    assert names["count"] == 1 and sha(names["build"]) == before

    class Model:
        def __init__(self) -> None:
            self.n, self.histories = 3, []

        def build(self, hp: Any) -> Any:
            self.last = hp
            self.histories.append(hp)
            return self.n

    one = Model()
    before = sha(one)
    one.build(1)
    assert sha(one) == before
    one.n = 4
    assert sha(one) != before
