"""What is kept together is committed together: all of it or nothing, files before rows."""

import errno
from pathlib import Path

import pytest

from sweep.errors import PlatformError
from sweep.records import Outcome, OutcomeStatus
from sweep.runner import journal as journals
from sweep.runner.journal import StoreJournal
from sweep.store import NewTrial, Planned, Store
from sweep.testing import made_up_record, made_up_state
from sweep.training.contract import Ended
from tests.support.runs import new_store


@pytest.fixture
def kept(tmp_path: Path) -> tuple[StoreJournal, list[Ended]]:
    """A journal, and the ends of three trials."""
    folder, store = new_store(tmp_path)
    trials = [NewTrial(None, 0, 0, seed, {}) for seed in range(3)]
    store.add_wave({}, [Planned(trial, 2) for trial in trials])
    outcome = Outcome(OutcomeStatus.COMPLETED, 2, trainer="idle")
    records = [made_up_record(0, 1), made_up_record(0, 2)]
    ends = [Ended(a, outcome, made_up_state(2), (*records,)) for a in store.pending()]
    return StoreJournal(folder, store, "id"), ends


def test_many_ends_are_one_commit_that_nobody_sees_before_it_is_whole(kept):
    journal, ends = kept
    statements: list[str] = []
    journal.store._db.set_trace_callback(statements.append)
    with Store(journal.store.path, read_only=True) as reader:
        with journal.together():
            assert [journal.finish(ended) for ended in ends] == [1.0, 1.0, 1.0]
            assert len(reader.pending()) == 3
        assert not reader.pending()
    journal.store._db.set_trace_callback(None)
    assert statements.count("COMMIT") == 1
    assert len(list(journal.folder.checkpoints.iterdir())) == 3
    assert journal.load(ends[0].assignment).epoch == 2


def test_a_file_that_cannot_be_written_leaves_nothing_of_its_company(kept, monkeypatch):
    journal, ends = kept
    write = journals.write_checkpoint

    def full(path: Path, *rest: object, **named: object) -> None:
        if path.name == journal.folder.checkpoint(1, 2).name:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, *rest, **named)

    monkeypatch.setattr(journals, "write_checkpoint", full)
    with pytest.raises(PlatformError, match="No space left"), journal.together():
        for ended in ends:
            journal.finish(ended)
    assert len(journal.store.pending()) == 3
    assert journal.store.checkpoint(0) is None


def test_what_was_whole_before_an_error_is_kept(kept):
    journal, ends = kept
    with pytest.raises(KeyError), journal.together():
        journal.finish(ends[0])
        raise KeyError
    assert [a.trial for a in journal.store.pending()] == [1, 2]


def test_an_older_file_goes_only_when_its_row_has_gone(kept):
    journal, ends = kept
    one = ends[0]
    journal.checkpoint(one.assignment, made_up_state(1), one.records[:1])
    (old,) = journal.folder.checkpoints.iterdir()
    with journal.together():
        journal.finish(Ended(one.assignment, one.outcome, one.state, one.records[1:]))
        assert old.exists()
    assert [path.name for path in journal.folder.checkpoints.iterdir()] != [old.name]
    assert not old.exists()
