"""What importing costs in modules: no framework for the package, one framework for a class of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from triformers.cards import BACKENDS, all_cards, backend_of

FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax")

#: Makes the import of some modules fail, as on a machine that does not have them.
BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocked())
"""


def python(code: str, blocked: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter in which some modules cannot be imported."""
    program = BLOCK.format(blocked=set(blocked)) + code
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_importing_the_package_imports_no_framework() -> None:
    code = f"""
import triformers
from triformers import PretrainedConfig, BertConfig, TriformersError
names = dir(triformers)
assert "BertModel" in names and "TFBertModel" in names and "FlaxBertModel" in names
loaded = [name for name in {FRAMEWORKS!r} if name in sys.modules]
assert not loaded, loaded
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


CARDS = all_cards()


@pytest.mark.parametrize("model_type", [model_type for model_type, card in CARDS.items() if card.tokenizers])
def test_tokenizer_classes_import_no_framework(model_type: str) -> None:
    names = ", ".join(CARDS[model_type].tokenizers)
    done = python(f"from triformers import {names}; assert not [n for n in {FRAMEWORKS!r} if n in sys.modules]")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("model_type", [model_type for model_type, card in CARDS.items() if card.models])
def test_classes_need_their_own_framework_only(model_type: str, backend: str) -> None:
    names = [name for name, module in CARDS[model_type].exports() if backend_of(module) == backend]
    others = tuple(module for module in FRAMEWORKS if module not in BACKENDS[backend].requires)
    code = f"import triformers\nfor name in {names!r}: print(getattr(triformers, name).__module__)"
    done = python(code, blocked=others)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(names)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_framework_is_named_with_its_extra(backend: str) -> None:
    name = BACKENDS[backend].class_prefix + "BertModel"
    done = python(f"from triformers import {name}", blocked=BACKENDS[backend].requires)
    message = done.stderr.strip().splitlines()[-1]
    assert "MissingDependencyError" in message and f"triformers[{BACKENDS[backend].extra}]" in message
    assert len(message) < 400


def test_keras_on_another_framework_is_refused() -> None:
    done = python("import os; os.environ['KERAS_BACKEND'] = 'jax'; from triformers import TFBertModel")
    message = done.stderr.strip().splitlines()[-1]
    assert "MissingDependencyError" in message and "KERAS_BACKEND=tensorflow" in message


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    done = python("from triformers import BertModle")
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError") and "BertModel" in message
    done = python("import triformers; assert not hasattr(triformers, 'BertModle'); triformers.BertModle")
    assert "UnknownNameError" in done.stderr.strip().splitlines()[-1]


def test_the_source_folder_refuses_to_be_a_package() -> None:
    done = python("import src")
    assert "expected it under its package name" in done.stderr
