"""A figure outside its promise is named; what chance explains is not."""

from benchmarks import promised as law
from benchmarks.promised import Amount, Share, missed, table
from benchmarks.shown import BESIDE, PAGES, written


def test_a_share_misses_where_chance_does_not_explain_it():
    kept = [
        Share(law.EQUAL_TOLD_APART, "here", 0.06, 500),
        Share(law.WORSE_FOUND, "here", 0.77, 500),
        Share(law.BETTER_ALONE, "here", 0.0, 500),
    ]
    assert missed(kept) == []
    broken = [Share(law.EQUAL_TOLD_APART, "there", 0.1, 500), Share(law.WORSE_FOUND, "x", 0.7, 500)]
    assert missed([*kept, *broken]) == [
        "outside its promise: equal trials told apart: there: 10.0%, at most 5%",
        "outside its promise: one trial worse by 3 paired SE found: x: 70.0%, at least 80%",
    ]


def test_an_amount_misses_beyond_its_own_error():
    assert missed([Amount(law.SIMPLEST, "", 0.004, 20, at_most=0.003, error=0.0005)]) == []
    assert len(missed([Amount(law.SIMPLEST, "", 0.005, 20, at_most=0.003, error=0.0005)])) == 1


def test_every_law_has_a_line_in_the_table_of_promises_or_a_promise_of_its_own():
    laws = {value for name, value in vars(law).items() if name.isupper() and name != "PROMISES"}
    laws = {one for one in laws if isinstance(one, str)}
    amounts = {law.LOWEST, law.EXPECTED, law.SIMPLEST, law.DECIDING_RUNS}
    amounts |= {law.TOO_GOOD, law.SAID_TOO_GOOD}
    assert set(law.PROMISES) == laws - amounts
    shown = table([Share(one, "", 0.5, 9) for one in law.PROMISES])
    assert shown.count("\n") == 2 + len(law.PROMISES)


def test_tables_stand_between_their_marks_on_the_pages():
    text = "a\n<!-- trust: level -->\nold\n<!-- trust end -->\nb\n"
    new = written(text, [Share(law.FALSE_ONSET, "9 epochs", 0.031, 500)], "")
    assert new == text.replace("old", "| | said to overfit |\n|---|---:|\n| 9 epochs | 3.1% |")
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in ("all", "claims", *BESIDE):
        assert pages.count(f"<!-- trust: {name} -->") == 1, name
    assert pages.count("<!-- trust end -->") == 2 + len(BESIDE)
