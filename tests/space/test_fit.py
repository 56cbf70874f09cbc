"""A HyperModel's own `fit`: what it gives to model.fit is seen, and refused if it does more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.asked import Asked
from sweep.space.fit import FitArguments, fit_arguments
from sweep.space.inputs import columns
from sweep.space.load import load_space

SPACE = """
import keras, keras_tuner
import numpy as np

class Mine(keras_tuner.HyperModel):
    def declare_hyperparameters(self, hp):
        hp.Choice("width", [2, 3])

    def build(self, hp):
        model = keras.Sequential([
            keras.layers.Dense(hp.get("width")),
            keras.layers.Dense(1, activation="sigmoid"),
        ])
        model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["binary_crossentropy"])
        return model

    def fit(self, hp, model, {arguments}):
        {body}
"""
X, Y = np.zeros((6, 4), np.float32), np.arange(6, dtype=np.float32) % 2
VALIDATION = (X[:2], Y[:2])


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(body: str, arguments: str = "*args, **kwargs") -> Any:
        path = tmp_path / "mine.py"
        path.write_text(SPACE.format(body=body, arguments=arguments))
        return load_space(str(path), columns(4))

    return load


@pytest.mark.parametrize(
    ("body", "arguments", "given"),
    [
        ("return model.fit(*args, **kwargs)", "*args, **kwargs", FitArguments()),
        (
            "return model.fit(*args, batch_size=hp.Choice('batch_size', [16, 32]), **kwargs)",
            "*args, **kwargs",
            FitArguments(batch_size=16),
        ),
        (
            "return model.fit(x, y, 8, class_weight={0: 1, 1: hp.Float('w', 2.0, 5.0)}, **more)",
            "x, y, **more",
            FitArguments(batch_size=8, class_weight={0: 1.0, 1: 2.0}),
        ),
        (
            "return model.fit(x=x, y=y, validation_data=(validation_data[0], validation_data[1]),"
            " shuffle=hp.Boolean('mix'), epochs=epochs, callbacks=callbacks)",
            "x, y, validation_data, epochs, callbacks=None, **more",
            FitArguments(shuffle=False),
        ),
        (
            "hp.Choice('w', [1, 2]); return model.fit(x, y, class_weight={1: len(y)})",
            "x, y, **more",
            FitArguments(class_weight={1: 6.0}),
        ),
        (
            "return model.fit(*args, epochs=hp.Int('epochs', 5, 20), **kwargs)",
            "*args, **kwargs",
            FitArguments(epochs=5),
        ),
    ],
)
def test_what_fit_forwards_is_seen_and_its_hyperparameters_are_found(load, body, arguments, given):
    space = load(body, arguments)
    hp = Asked({})
    model = space.build(hp)
    assert fit_arguments(model, X, Y, VALIDATION) == given
    assert space.hyperparameter_names == list(hp.active)
    assert len(hp.active) == 1 + body.count("hp.")
    assert "fit" not in vars(model)  # as before


def test_callbacks_that_keep_nothing_are_forwarded(load):
    space = load(
        "rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)\n"
        "        callbacks = [*kwargs.pop('callbacks'), rate]\n"
        "        return model.fit(*args, callbacks=callbacks, **kwargs)"
    )
    found = fit_arguments(space.build(Asked({})), X, Y, VALIDATION)
    assert [type(one).__name__ for one in found.callbacks] == ["LearningRateScheduler"]
    assert found.only_keras == "fit gives the callback LearningRateScheduler"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 0.5", "does not call model.fit: .*Hyperband"),
        ("model.train_on_batch(*args)", "by model.train_on_batch: .*Hyperband"),
        ("return model.evaluate(*args)[0]", "by model.evaluate: .*return model.fit"),
        ("model.fit(*args); return model.fit(*args)", "calls model.fit 2 times"),
        ("return model.fit(*args).history['val_loss'][-1]", "returns float in place of"),
        ("return model.fit(args[0] * 2, args[1])", "another x than it was given"),
        ("return model.fit(*args, validation_split=0.2)", "validation_split, .*--validation-rows"),
        ("return model.fit(*args, sample_weight=args[1])", "sample_weight, .*class_weight"),
        (
            "return model.fit(*args, callbacks=[keras.callbacks.EarlyStopping()])",
            "the callback EarlyStopping, .*--patience",
        ),
        (
            "return model.fit(*args, callbacks=[type('Own', (keras.callbacks.Callback,), {})()])",
            "the callback Own, which is not supported",
        ),
        ("return model.fit(*args, batch_size=0)", "batch_size=0, expected a whole number"),
        ("return model.fit(*args, class_weight='balanced')", "class_weight='balanced', expected"),
        ("return model.fit(*args, steps_per_epoch=3)", "steps_per_epoch, .*all rows"),
        ("raise RuntimeError('mine')", r"fails: line 18: RuntimeError: mine"),
    ],
)
def test_a_fit_that_does_more_is_refused_by_name_with_its_line_and_what_to_do(load, body, message):
    with pytest.raises(InvalidSpaceError, match=rf"Mine\.fit of .*\(line 17\) .*{message}") as e:
        load(body)
    assert "\n" not in str(e.value)


def test_the_fit_of_another_hypermodel_is_not_passed_over_in_silence(tmp_path):
    path = tmp_path / "mine.py"
    body = "return model.fit(*args, **kwargs)"
    text = SPACE.format(body=body, arguments="*args, **kwargs").replace('hp.get("width")', "2")
    path.write_text(text + "\ndef build(hp):\n    return Mine().build(hp)\n")
    with pytest.raises(InvalidSpaceError, match=r"whose fit \(line 17\) would be passed over"):
        load_space(str(path), columns(4))
    assert load_space(str(path), columns(4), build="build").said == ("the fit of Mine is not used",)
    assert load_space(str(path), columns(4), build="Mine").hyperparameter_names == ["width"]


def test_what_a_tuner_of_the_file_gives_to_fit_is_honoured(tmp_path):
    own = SPACE.format(arguments="*a, **k", body="return model.fit(*a, **k)").split("    def fit")[
        0
    ]
    own = own.replace("class Mine(keras_tuner.HyperModel):", "class Mine:")
    own += """
def make(hp):
    Mine().declare_hyperparameters(hp)
    return Mine().build(hp)

class Own(keras_tuner.BayesianOptimization):
    def run_trial(self, trial, *args, **kwargs):
        kwargs["batch_size"] = trial.hyperparameters.Int("batch_size", 32, 64, step=32)
        return super().run_trial(trial, *args, **kwargs)
"""
    path = tmp_path / "mine.py"
    path.write_text(own)
    before = keras_tuner_run_trial()
    space = load_space(str(path), columns(4))
    assert space.hyperparameter_names == ["width", "batch_size"]
    model = space.build(Asked({"batch_size": 64}))
    assert fit_arguments(model, X, Y, VALIDATION) == FitArguments(batch_size=64)
    assert space.said == ("what Own.run_trial gives to model.fit is honoured",)
    assert keras_tuner_run_trial() is before


def keras_tuner_run_trial() -> Any:
    import keras_tuner

    return keras_tuner.Tuner.run_trial
