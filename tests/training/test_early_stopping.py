"""Early stopping is Keras' rule, and counts on when it is taken up again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.training.early_stopping import EarlyStopping

CURVES = st.lists(st.integers(1, 20).map(lambda n: n / 10), min_size=1, max_size=30)


def run(curve: list[float], patience: int) -> tuple[int, EarlyStopping]:
    state = EarlyStopping(patience)
    for epoch, value in enumerate(curve, start=1):
        state = state.after(epoch, value)
        if state.stopped:
            return epoch, state
    return len(curve), state


@given(curve=CURVES, patience=st.integers(1, 6))
@settings(deadline=None)
def test_it_stops_where_keras_stops(keras, curve, patience):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = keras.callbacks.EarlyStopping("v", patience=patience, mode="min")
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    stopped_at = len(curve)
    for epoch, value in enumerate(curve, start=1):
        callback.on_epoch_end(epoch - 1, {"v": value})
        if model.stop_training:
            stopped_at = epoch
            break
    epoch, state = run(curve, patience)
    assert epoch == stopped_at
    assert state.best == callback.best
    assert state.best_epoch == callback.best_epoch + 1


@given(curve=CURVES)
def test_without_patience_it_never_stops_but_knows_the_best(curve):
    state = EarlyStopping(None)
    for epoch, value in enumerate(curve, start=1):
        state = state.after(epoch, value)
    assert not state.stopped
    assert state.best == min(curve)
    assert curve[state.best_epoch - 1] == state.best
