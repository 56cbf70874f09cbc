"""A traced TensorFlow function whose parts have lasting names, and a way to run it again.

TensorFlow numbers its functions as they are traced, and XLA finds what it has compiled on disk by
their names: from one process to the next, nothing would be found.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from sweep.training.tensorflow_private import mark_for_xla

Graph = Any
"""A `tf.compat.v1.GraphDef`; TensorFlow publishes no types."""

_CALL = "call"


def graph_of(concrete: Any, name: str) -> Graph:
    """Return a traced function as a graph: placeholders, and one call, which XLA will compile.

    `concrete` is TensorFlow's ConcreteFunction. The functions in the graph are called `name` and a
    number. Raises ValueError if the function captured tensors, which would not be in the graph.
    """
    if concrete.captured_inputs:
        raise ValueError(f"{concrete.name} captures tensors")
    definition = concrete.graph.as_graph_def()
    functions = {function.signature.name: function for function in definition.library.function}
    main = concrete.function_def
    functions[main.signature.name] = main
    names: dict[str, str] = {}
    _number(main, functions, names, name)
    graph = tf.compat.v1.GraphDef(versions=definition.versions)
    for old, new in names.items():
        function = graph.library.function.add()
        function.CopyFrom(functions[old])
        function.signature.name = new
        for called in _called(function):
            called.name = names[called.name]
    call = tf.compat.v1.NodeDef(name=_CALL, op="StatefulPartitionedCall")
    call.attr["f"].func.name = names[main.signature.name]
    mark_for_xla(call)
    for number, tensor in enumerate(concrete.inputs):
        place = graph.node.add(name=_placeholder(number), op="Placeholder")
        place.attr["dtype"].type = tensor.dtype.as_datatype_enum
        place.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
        call.input.append(place.name)
        call.attr["Tin"].list.type.append(tensor.dtype.as_datatype_enum)
    call.attr["Tout"].list.type.extend(output.type for output in main.signature.output_arg)
    graph.node.append(call)
    return graph


def runnable(graph: Graph, specs: Sequence[tf.TensorSpec]) -> Callable[..., list[Any]]:
    """Return the graph as a function of tensors, as `specs` describe them, to a list of tensors."""
    (call,) = (node for node in graph.node if node.name == _CALL)
    results = [f"{_CALL}:{number}" for number in range(len(call.attr["Tout"].list.type))]

    def run(*tensors: Any) -> Any:
        given = {f"{_placeholder(number)}:0": tensor for number, tensor in enumerate(tensors)}
        return tf.graph_util.import_graph_def(
            graph, input_map=given, return_elements=results, name=""
        )

    wrapped: Callable[..., list[Any]] = tf.compat.v1.wrap_function(run, specs)
    return wrapped


def _placeholder(number: int) -> str:
    return f"input_{number}"


def _number(function: Any, functions: dict[str, Any], names: dict[str, str], name: str) -> None:
    """Name a function and those it calls, in the order in which it does."""
    if function.signature.name in names:
        return
    names[function.signature.name] = f"{name}_{len(names)}"
    for called in _called(function):
        _number(functions[called.name], functions, names, name)


def _called(function: Any) -> Iterator[Any]:
    """Each place where a function names another."""
    for node in function.node_def:
        for _, value in sorted(node.attr.items()):
            if value.HasField("func"):
                yield value.func
            yield from value.list.func
