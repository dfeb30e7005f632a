"""The rules of the house that a linter does not know: directions of import, sizes, names of Keras layers."""

from __future__ import annotations

import ast

import pytest

from tests.house.source import ROOT, functions, imports, lines_without_docstring, modules

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "flax", "optax", "optree"}

#: The floors of the house, from the ground up; a module may import from its own floor and from those below.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("files",),
    ("hub",),
    ("configuration", "fields", "outputs", "sizes", "stages"),
    ("cards", "initialization", "losses"),
    ("tokenization", "processing", "generation"),
    ("conversion",),
    ("backends",),
    ("models",),
    ("auto", "training"),
    ("pipelines", "cli", "names", "stub", "__main__"),
)

#: Imports that go up, each inside one function or for types alone, with the reason.
UPWARD = {
    ("cards", "models"): "the cards are discovered by looking into the folder",
}


def room(module: str) -> str:
    """The folder or file of the package that a module belongs to."""
    return module.removeprefix("triformers").removeprefix(".").partition(".")[0]


def floor(module: str) -> int | None:
    """The floor of a module; None for the package itself, which only looks names up."""
    return next((level for level, rooms in enumerate(FLOORS) if room(module) in rooms), None)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_never_go_up(module: str) -> None:
    for imported in imports(module):
        if not imported.startswith("triformers") or floor(imported) is None or floor(module) is None:
            continue
        assert floor(imported) <= floor(module) or (room(module), room(imported)) in UPWARD, imported


@pytest.mark.parametrize("module", sorted(modules()))
def test_frameworks_stay_in_their_rooms(module: str) -> None:
    found = {name.partition(".")[0] for name in imports(module, top_level_only=True)} & FRAMEWORKS
    at_home = module.startswith(("triformers.backends.", "triformers.training.")) or ".modeling_" in module
    assert not found or at_home, found
    for backend in ("torch", "tensorflow", "flax"):
        if module.startswith(f"triformers.backends.{backend}"):
            others = {"torch", "tensorflow", "flax"} - {backend}
            assert not [name for name in imports(module) for other in others if f"backends.{other}" in name]


@pytest.mark.parametrize("module", sorted(modules()))
def test_functions_are_short(module: str) -> None:
    long = {f.name: size for f in functions(modules()[module]) if (size := lines_without_docstring(f)) > 60}
    assert not long


@pytest.mark.parametrize("module", sorted(modules()))
def test_everything_is_annotated(module: str) -> None:
    for function in functions(modules()[module]):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        bare = [a.arg for a in every if a is not None and a.annotation is None and a.arg not in ("self", "cls")]
        assert not bare and function.returns is not None, function.name


@pytest.mark.parametrize("module", sorted(name for name in modules() if ".modeling_tf_" in name))
def test_every_keras_layer_is_named(module: str) -> None:
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_layer(node.value):
            assert "name" in {keyword.arg for keyword in node.value.keywords}, ast.unparse(node)


def _is_layer(call: ast.Call) -> bool:
    """Whether a call makes a layer; `self.LayerNorm(...)` calls one."""
    if ast.unparse(call.func).startswith("self."):
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    in_layers = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("layers", "keras.layers")
    return in_layers or name in ("Dense", "Embedding", "LayerNorm") or name.startswith("TF")


def test_the_table_of_architectures_is_fresh() -> None:
    from triformers.cli.architectures import page

    assert (ROOT / "docs" / "architectures.md").read_text() == page(), "run `make format`"


def test_the_stub_is_fresh() -> None:
    from triformers.stub import stub

    assert (ROOT / "src" / "__init__.pyi").read_text() == stub(), "run `make format`"
