"""sweep data: what it prints where, and what it makes of errors."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sweep.cli.commands.data import data_app
from sweep.cli.options import CacheOption
from sweep.data.cache.cache import Cache, Dataset
from sweep.data.higgs import range_requests
from sweep.data.higgs.import_file import import_higgs
from sweep.data.split import load_split
from sweep.data.summary import (
    column_histograms,
    feature_table,
    histograms,
    part_table,
    visible_rows,
)
from sweep.errors import DataError, UsageError
from tests.support.file_server import serving
from tests.support.higgs_rows import as_gzip, random_rows, write_file


@pytest.fixture
def run(tmp_path):
    """Runs `sweep data …` on a cache of its own; errors are raised as they reach main()."""

    def run(*arguments):
        environment = {"SWEEP_CACHE": str(tmp_path / "cache")}
        result = CliRunner().invoke(data_app, [str(a) for a in arguments], env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_fetch_says_what_it_cached_and_does_it_once(run, tmp_path):
    with serving(as_gzip(*random_rows(300))) as served:
        result = run("fetch", "--url", served.url, "--rows", 200)
        assert result.exit_code == 0
        cached = f"HIGGS (fetched from {served.url}): 200 rows cached in {tmp_path / 'cache'}\n"
        assert result.stdout == cached
        assert "fewer rows than the default split needs" in result.stderr
        n_requests = len(served.requests)
        result = run("fetch", "--url", served.url, "--rows", 150)
        assert "cached already" in result.stderr and result.stdout == cached
        assert len(served.requests) == n_requests
        run("fetch", "--url", served.url, "--rows", 150, "--force")
        assert len(served.requests) == n_requests + 1
        result = run("fetch", "--url", served.url, "--all", "--force")
        assert "300 rows cached" in result.stdout


def test_fetch_prints_plain_lines_now_and_then_where_there_is_no_terminal(run, monkeypatch):
    monkeypatch.setattr("sweep.cli.commands.data._SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(range_requests, "_CHUNK_BYTES", 1 << 14)
    with serving(as_gzip(*random_rows(300))) as served:
        result = run("fetch", "--url", served.url, "--all")
    lines = [line for line in result.stderr.splitlines() if line.startswith("fetched")]
    assert len(lines) > 2
    assert lines[-1].endswith("MB, 300 rows cached")
    assert "\x1b" not in result.stderr


def test_fetch_draws_a_bar_on_a_terminal(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with serving(as_gzip(*random_rows(300))) as served:
        result = run("fetch", "--url", served.url, "--all")
    assert "300 rows" in result.stderr and "\x1b" in result.stderr


def test_an_interrupted_fetch_ends_with_130(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sweep.data.higgs.download.fetch_higgs", interrupt)
    result = run("fetch", "--all")
    assert result.exit_code == 130
    assert "run the same command again to continue" in result.stderr


def test_rows_and_all_exclude_each_other(run):
    with pytest.raises(UsageError, match="give --rows or --all, not both"):
        run("fetch", "--rows", 3, "--all")
    assert run("fetch", "--rows", 0).exit_code == 2


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz"])
def test_import_makes_a_file_the_cached_higgs(run, tmp_path, name):
    result = run("import", write_file(tmp_path / name, 50))
    assert result.stdout.startswith("HIGGS (imported: mine): 50 rows cached in ")
    dataset = Cache(tmp_path / "cache").open("higgs")
    assert dataset.manifest.origin.kind == "higgs"
    np.testing.assert_array_equal(dataset.x, random_rows(50)[0])


def test_import_of_nothing_or_nonsense_is_one_line(run, tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*missing\.csv: No such file"):
        run("import", tmp_path / "missing.csv")
    (tmp_path / "page.csv").write_text("<html></html>")
    with pytest.raises(DataError, match=r"page\.csv is a web page"):
        run("import", tmp_path / "page.csv")
    assert not list((tmp_path / "cache").glob("higgs*"))


def test_the_cache_option_beats_the_environment(run, tmp_path):
    run("import", write_file(tmp_path / "mine.csv", 50), "--cache", tmp_path / "elsewhere")
    assert Cache(tmp_path / "elsewhere").open("higgs") is not None
    assert not (tmp_path / "cache").exists()


def test_info_says_source_rows_balance_and_ranges(run, tmp_path):
    run("import", write_file(tmp_path / "mine.csv.gz", 60))
    run("info", "--data", write_file(tmp_path / "other.csv", 40, seed=2))
    result = run("info")
    assert "source:      HIGGS (imported: mine)" in result.stdout
    assert "also cached: other.csv, 40 rows" in result.stdout
    x, y = random_rows(60)
    assert f"{y.mean():.4f}" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("m_wwbb"))
    expected = [x[:, -1].mean(), x[:, -1].std(), x[:, -1].min(), x[:, -1].max()]
    assert [float(cell) for cell in row[1:]] == pytest.approx(expected, abs=1e-4)
    assert "\x1b" not in result.stdout


def test_info_of_a_file_and_of_nothing(run, tmp_path):
    result = run("info", "--data", write_file(tmp_path / "other.csv", 40))
    assert "source:      other.csv" in result.stdout
    with pytest.raises(DataError, match="no HIGGS data in"):
        run("info", "--data", "higgs")


def test_info_writes_charts(run, tmp_path):
    run("import", write_file(tmp_path / "mine.csv.gz", 60))
    result = run("info", "--charts", tmp_path / "charts")
    png, svg = tmp_path / "charts" / "features.png", tmp_path / "charts" / "features.svg"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()
    assert f"chart: {png}\nchart: {svg}\n" in result.stdout


def test_info_draws_the_columns_of_a_table(run, tmp_path):
    lines = [f"{n % 7},{'abc'[n % 3]},{n * 1000},{n % 2}" for n in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(["few,word,large,label", *lines]))
    result = run("info", tmp_path / "mine.csv", "--charts", tmp_path / "charts")
    assert f"chart: {tmp_path / 'charts' / 'features.svg'}\n" in result.stdout
    split = load_split(str(tmp_path / "mine.csv"), cache_dir=tmp_path / "cache")
    found = {one.column: one for one in column_histograms(split)}
    assert list(found) == ["few", "word=a", "word=b", "word=c", "large"]
    assert found["large"].edges[-1] > 50_000  # in the file's units
    assert list(found["few"].shares) == ["0", "1"]
    assert sum(found["few"].shares["1"]) == pytest.approx(1)
    np.savez(tmp_path / "images.npz", x=np.zeros((60, 4, 4), np.float32), y=np.arange(60) % 2)
    with pytest.raises(UsageError, match="columns of a table"):
        run("info", tmp_path / "images.npz", "--charts", tmp_path / "charts")


@pytest.fixture
def dataset(tmp_path):
    cache = Cache(tmp_path / "cache")
    import_higgs(cache, write_file(tmp_path / "mine.csv.gz", 60))
    return cache.open("higgs")


def test_the_feature_table_is_numpys(dataset, monkeypatch):
    monkeypatch.setattr("sweep.data.summary._BLOCK_ROWS", 7)
    table = feature_table(dataset.x)
    x = dataset.x.astype(np.float64)
    np.testing.assert_allclose(table["mean"], x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(table["spread"], x.std(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(table["min"], x.min(axis=0))
    np.testing.assert_array_equal(table["max"], x.max(axis=0))


def test_the_part_table_follows_the_default_split(dataset):
    x, y = random_rows(12_000)
    manifest = dataset.manifest.__class__(**{**vars(dataset.manifest), "rows": 12_000})
    table = part_table(Dataset(manifest, x, y))
    assert list(table.index) == ["all", "validation", "train", "test"]
    assert list(table["rows"]) == [12_000, 1000, 10_000, 1000]
    assert list(table["first"]) == [1, 1, 1001, 11_001]
    assert table.loc["train", "signal"] == pytest.approx(y[1000:11_000].mean())
    assert visible_rows(Dataset(manifest, x, y)) == 11_000


def test_histograms_hold_nearly_all_events_of_each_class(dataset):
    charts = histograms(dataset.x, dataset.y)
    assert len(charts) == 28
    for chart in charts:
        assert len(chart.edges) == len(chart.signal) + 1 == len(chart.background) + 1
        assert 0.85 < chart.signal.sum() <= 1.0 + 1e-9
    assert len(charts[8].signal) == 3  # b-tag levels: a bin each
    assert charts[8].signal.sum() == pytest.approx(1.0)


def test_histograms_of_a_constant_and_of_one_class(dataset):
    charts = histograms(np.ones((5, 28), np.float32), np.ones(5, np.uint8))
    assert charts[0].signal.sum() == 1.0 and charts[0].background.sum() == 0.0


def test_the_old_name_of_the_cache_works_and_the_new_one_is_named():
    app = typer.Typer()

    @app.command()
    def show(cache: CacheOption = None) -> None:
        typer.echo(cache)

    old, new = {"SWEEP_DATA": "/old"}, {"SWEEP_CACHE": "/new"}
    found = CliRunner().invoke(app, env=old)
    assert found.stdout == "/old\n"
    assert "SWEEP_DATA still works" in found.stderr and "SWEEP_CACHE" in found.stderr
    found = CliRunner().invoke(app, env=old | new)
    assert found.stdout == "/new\n" and "SWEEP_DATA is not used" in found.stderr
    found = CliRunner().invoke(app, env=new)
    assert (found.stdout, found.stderr) == ("/new\n", "")
