"""Private names of TensorFlow that are used are there, and do what is expected of them.

What XLA keeps on disk, under its flags and its files' names, is in `fused/test_kept_programs.py`.
"""

from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from sweep.training import tensorflow_private

SEEN_WITH = ("2.21",)
"""Releases of TensorFlow for which these tests have passed; others may pass as well."""

RELEASE = ".".join(tf.__version__.split(".")[:2])
MEND = f"Seen with {', '.join(SEEN_WITH)}; mend sweep/training/tensorflow_private.py"


@tf.custom_gradient
def doubled(x):
    return 2 * x, lambda upstream: 2 * upstream


def test_the_registry_of_gradients_is_there_and_forgets():
    from tensorflow.python.framework import ops

    registry = getattr(ops, "gradient_registry", None)
    assert hasattr(registry, "_registry"), (
        f"TensorFlow {RELEASE} has no ops.gradient_registry._registry: each trial that Keras "
        f"trains would leave 2.7 MiB in memory. {MEND}"
    )
    before = set(tensorflow_private.gradient_registry())
    with tensorflow_private.traces_forgotten():
        tf.function(doubled).get_concrete_function(tf.TensorSpec((2,)))
        assert set(tensorflow_private.gradient_registry()) > before
    assert set(tensorflow_private.gradient_registry()) == before


def test_xla_compiles_what_is_marked_for_it():
    def marks(**settings) -> bool:
        inner = tf.function(lambda x: x + 1, **settings)
        outer = tf.function(lambda x: inner(x)).get_concrete_function(tf.TensorSpec((2,)))
        calls = [node for node in outer.graph.as_graph_def().node if "Call" in node.op]
        expected = tf.compat.v1.NodeDef()
        tensorflow_private.mark_for_xla(expected)
        ((name, value),) = expected.attr.items()
        return any(call.attr[name] == value for call in calls)

    assert marks(jit_compile=True), (
        f"TensorFlow {RELEASE} marks what XLA must compile by another attribute. {MEND}"
    )
    assert not marks()


def test_loops_are_not_looked_through_for_constants_in_the_thread_that_asks():
    from tensorflow.python.ops import control_flow_util_v2

    assert hasattr(control_flow_util_v2, tensorflow_private.CONSTANTS_MARK), (
        f"TensorFlow {RELEASE} marks loops for XLA in another way: programs would take up to half "
        f"as long again to compile. {MEND}"
    )

    def marks() -> int:
        def halved(x):
            return tf.while_loop(lambda x: tf.reduce_sum(x) > 1, lambda x: (x / 2,), (x,))

        traced = tf.function(halved, jit_compile=True).get_concrete_function(tf.TensorSpec((2,)))
        nodes = traced.graph.as_graph_def().node
        return sum("_xla_propagate_compile_time_consts" in node.attr for node in nodes)

    with tensorflow_private.constants_left_alone():
        assert marks() == 0
        with ThreadPoolExecutor(1) as other:
            assert other.submit(marks).result() == 1
    assert marks() == 1
