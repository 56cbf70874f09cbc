"""What decides the last bits: kept, compared by name, restored where that is harmless."""

import json
import os
from dataclasses import replace

import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.page import sections
from sweep.analysis.report.header import header
from sweep.analysis.report.trials_json import to_json
from sweep.errors import DataError, PlatformError
from sweep.numerics import Numerics, differences, flags_of, restored, version_differences
from sweep.runner import same_numbers
from sweep.training.hidden_settings import refuse_hidden_settings
from sweep.training.numerics_here import _ARITHMETIC, fix_numerics
from tests.support.sweeps import SETTINGS, store_sweep, sweep_row, trained

NUMERICS = Numerics(
    threads=2,
    operations=2,
    program_bytes=1 << 30,
    flags={"XLA_FLAGS": "--xla_cpu_prefer_vector_width=512"},
    backend="tensorflow",
    floatx="float32",
    processor="x86_64, vendor_id GenuineIntel, model 85",
    features="avx avx2 fma",
    caches="L1 32K, L2 1024K",
)


def stored(**changes):
    numerics = {**json.loads(json.dumps(NUMERICS.__dict__)), **changes}
    return sweep_row(settings={**SETTINGS, "numerics": numerics})


# Kept


def test_a_sweep_keeps_its_numerics_and_one_of_an_older_version_has_none():
    assert stored().settings.numerics == NUMERICS
    assert json.loads(stored().to_columns()["settings"])["numerics"]["threads"] == 2
    assert sweep_row().settings.numerics is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threads", 0),
        ("threads", 10**9),
        ("program_bytes", "much"),
        ("flags", {"XLA_FLAGS": 1}),
        ("backend", None),
        ("accepted", [1]),
    ],
)
def test_forged_numerics_are_damage_that_names_the_field(field, value):
    with pytest.raises(DataError, match=rf"settings\.numerics\.{field}"):
        stored(**{field: value})


# Compared


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threads": 4}, "threads 2 → 4"),
        ({"backend": "jax"}, "backend tensorflow → jax"),
        ({"floatx": "float16"}, "floatx float32 → float16"),
        ({"processor": "aarch64"}, f"processor {NUMERICS.processor} → aarch64"),
        ({"features": "avx avx512f fma"}, "processor features: without avx2, with avx512f"),
        ({"gpu": "NVIDIA H100"}, "gpu none → NVIDIA H100"),
        ({"caches": "L1 48K"}, "caches L1 32K, L2 1024K → L1 48K"),
        ({"flags": {}}, "XLA_FLAGS '--xla_cpu_prefer_vector_width=512' → not set"),
    ],
)
def test_each_difference_is_named(change, said):
    assert differences(NUMERICS, replace(NUMERICS, **change)) == [said]


def test_what_was_accepted_is_no_difference():
    assert differences(replace(NUMERICS, accepted=("numpy 1 → 2",)), NUMERICS) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "is_serious"),
    [
        ("tensorflow", "2.21.0", "2.21.1", True),
        ("keras", "3.15.1", "3.16.0", True),
        ("keras-tuner", "1.4.8", "1.4.9", True),
        ("numpy", "2.4.0", "2.4.1", True),
        ("jax", "0.10.2", None, True),
        ("python", "3.11.7", "3.12.0", True),
        ("python", "3.11.7", "3.11.9", False),
        ("keras-sweep", "0.1.0", "0.2.0", False),
    ],
)
def test_versions_that_compute_are_serious_and_others_slight(name, old, new, is_serious):
    here = {} if new is None else {name: new}
    line = [f"{name} {old} → {new or 'not used'}"]
    assert version_differences({name: old}, here) == ((line, []) if is_serious else ([], line))


def here_as(monkeypatch, **versions):
    now = same_numbers.versions()
    monkeypatch.setattr(same_numbers, "versions", lambda backend: {**now, **versions})
    return now


def test_a_difference_is_refused_by_name_until_it_is_accepted(monkeypatch):
    sweep = replace(stored(), versions=here_as(monkeypatch, numpy="9.9"))
    here = replace(NUMERICS, processor="aarch64")
    found = same_numbers.compared(sweep, here)
    assert len(found.changing) == 2 and not found.slight
    with pytest.raises(PlatformError, match=r"aarch64; numpy \S+ → 9\.9; .*--other-numerics"):
        same_numbers.refuse_other(sweep, found)
    kept = same_numbers.accepted(NUMERICS, found)
    going_on = replace(sweep, settings=replace(sweep.settings, numerics=kept))
    same_numbers.refuse_other(going_on, same_numbers.compared(going_on, here))
    with pytest.raises(PlatformError, match="riscv"):
        third = same_numbers.compared(going_on, replace(here, processor="riscv"))
        same_numbers.refuse_other(going_on, third)


def test_a_sweep_from_before_numerics_were_kept_is_warned_about_only(monkeypatch):
    sweep = replace(sweep_row(), versions=here_as(monkeypatch, numpy="9.9"))
    found = same_numbers.compared(sweep, NUMERICS)
    assert found.changing == ()
    assert [line.partition(" ")[0] for line in found.slight] == ["numpy"]


def test_every_report_says_what_was_accepted(tmp_path):
    accepted = ["numpy 2.4.0 → 2.4.1"]
    settings = json.loads(stored(accepted=accepted).to_columns()["settings"])
    with store_sweep(tmp_path / "sweep.db", [trained(0.6)], settings=settings) as store:
        frames = load(store)
    said = dict(header(frames))["numerics"]  # on the terminal, in Markdown and on the page
    assert said == "also trained under others: numpy 2.4.0 → 2.4.1"
    assert json.loads(to_json(frames))["sweep"]["settings"]["numerics"]["accepted"] == accepted
    assert accepted[0] in dict(sections.provenance(frames).rows)["numerics"]


# Restored


def test_what_stands_in_reports_holds_no_secrets_and_no_paths():
    environment = {
        "TF_VAR_password": "secret",
        "TF_CLI_CONFIG_FILE": "/root/.terraformrc",
        "JAX_COMPILATION_CACHE_DIR": "/tmp",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": "--xla_dump_to=/tmp --xla_cpu_enable_fast_math=true",
        "TF_XLA_FLAGS": "--tf_xla_persistent_cache_directory=/tmp",
    }
    assert flags_of(environment) == {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    }


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"TF_ENABLE_ONEDNN_OPTS": "1"},
        {"XLA_FLAGS": "--xla_cpu_prefer_vector_width=256 --xla_gpu_autotune_level=0"},
        {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NVIDIA_TF32_OVERRIDE": "0"},
    ],
)
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TF_ENABLE_ONEDNN_OPTS": "0", "HOME": "/root"},
        {"XLA_FLAGS": "--xla_dump_to=/tmp --xla_cpu_enable_fast_math=true"},
    ],
)
def test_flags_are_restored_whatever_the_environment_says(flags, environment):
    now = dict(environment)
    fix_numerics(replace(NUMERICS, flags=flags), now)
    assert flags_of(now) == flags
    assert ("--xla_dump_to=/tmp" in now.get("XLA_FLAGS", "")) == ("XLA_FLAGS" in environment)
    assert now.get("HOME") == environment.get("HOME")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "evil"),
        ("PYTHONSTARTUP", "evil"),
        ("XLA_FLAGS", "/tmp/flags"),
        ("XLA_FLAGS", "--xla_dump_to=/root/.ssh"),
        ("XLA_FLAGS", "--xla_gpu_cuda_data_dir=/tmp/evil"),
        ("XLA_FLAGS", "--xla_gpu_libdevice=evil"),
        ("TF_XLA_FLAGS", "--tf_xla_persistent_cache_directory=/tmp/evil"),
        ("TF_ENABLE_ONEDNN_OPTS", "../x"),
        ("TF_ENABLE_ONEDNN_OPTS", "1\n"),
    ],
)
def test_a_forged_sweep_sets_nothing_that_names_a_file(name, value):
    assert restored({name: value}, {}) == {}
    assert name not in flags_of({}) and differences(
        replace(NUMERICS, flags={name: value}), replace(NUMERICS, flags={})
    )


def test_threads_are_as_stored_else_as_the_environment_says_else_as_many_as_cores():
    cores = len(os.sched_getaffinity(0))
    for keeps, before, threads in (
        (None, {}, cores),
        (None, {"TF_NUM_INTRAOP_THREADS": "0"}, cores),
        (None, {"TF_NUM_INTRAOP_THREADS": "3"}, 3),
        (replace(NUMERICS, threads=7), {"TF_NUM_INTRAOP_THREADS": "3"}, 7),
    ):
        environment = dict(before)
        fix_numerics(keeps, environment)
        names = ("TF_NUM_INTRAOP_THREADS", "NPROC")
        assert [environment[name] for name in names] == [str(threads)] * 2
    with pytest.raises(PlatformError, match="TF_NUM_INTRAOP_THREADS is 'two'"):
        fix_numerics(None, {"TF_NUM_INTRAOP_THREADS": "two"})


def test_features_are_instructions_that_compute():
    flags = "fpu sse4_1 avx512_bf16 smep smap fma f16c svm sme sme2 asimd syscall amx_tile"
    found = [flag for flag in flags.split() if _ARITHMETIC.fullmatch(flag)]
    assert found == ["sse4_1", "avx512_bf16", "fma", "f16c", "sme", "sme2", "asimd", "amx_tile"]


# Settings that Keras finds by itself


@pytest.fixture
def keras_home(tmp_path):
    def with_settings(**settings):
        (tmp_path / "keras.json").write_text(json.dumps(settings))
        return {"KERAS_HOME": str(tmp_path)}

    return with_settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backend": "theano"}, r'keras\.json says "backend": theano, .*change it there'),
        ({"floatx": "float16"}, r'keras\.json says "floatx": "float16"'),
        ({"epsilon": 0.001}, r'"epsilon": 0\.001'),
        ({"image_data_format": "channels_first"}, "channels_first"),
        ({"nnx_enabled": True}, "nnx_enabled"),
    ],
)
def test_a_settings_file_that_does_not_fit_is_named(keras_home, settings, said):
    with pytest.raises(PlatformError, match=said):
        refuse_hidden_settings(keras_home(**settings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KERAS_BACKEND", "numpy"),
        ("KERAS_BACKEND", "torch"),
        ("KERAS_FLOATX", "float16"),
        ("XLA_FLAGS", "--xla_cpu_enable_fast_math=false --nonsense=1"),
        ("KERAS_MAX_EPOCHS", "1"),
        ("KERAS_MAX_STEPS_PER_EPOCH", "1"),
        ("KERAS_NNX_ENABLED", "true"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(keras_home, name, value):
    with pytest.raises(PlatformError, match=f"{name} (is|holds) "):
        refuse_hidden_settings({**keras_home(), name: value})


def test_settings_that_fit_and_a_file_that_keras_passes_over_are_no_matter(keras_home, tmp_path):
    refuse_hidden_settings(keras_home(backend="tensorflow", floatx="float32", epsilon=1e-07))
    refuse_hidden_settings({**keras_home(backend="theano"), "KERAS_BACKEND": "tensorflow"})
    (tmp_path / "keras.json").write_text("{no json")
    refuse_hidden_settings({"KERAS_HOME": str(tmp_path)})
    refuse_hidden_settings({"KERAS_HOME": str(tmp_path / "nowhere")})
    (tmp_path / "keras.json").write_text("[]")
    with pytest.raises(PlatformError, match="no JSON object"):
        refuse_hidden_settings({"KERAS_HOME": str(tmp_path)})
