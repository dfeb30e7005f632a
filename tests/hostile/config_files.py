"""Configurations that are none, describe no model or a gigantic one, or ask for more than a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.hostile.corpus import CONFIG, CONFIG_VALUES, CONFIGURED, MODEL, Case, as_json
from tests.hostile.json_texts import NO_OBJECTS
from tests.hostile.safetensors_files import assembled, entry

FILE = "config.json"
#: What may be wrong in any field; of these, the first few that its annotation does not admit are tried.
VALUES: tuple[Any, ...] = ("x", -1, [], {}, 1.5, None, True, 10**30, [[]], "9" * 5000)

#: Values of some fields that are wrong in a way of their own.
WRONG: Mapping[str, tuple[Any, ...]] = {
    "id2label": ([], ["a"], {"x": "a"}, {"0": []}, {"0": {"a": 1}}, {"": "a"}, {"1.5": "a"}, {"9" * 5000: "a"}, 7, "a"),
    "label2id": ({"a": "b"}, {"a": None}, {"a": [1]}, {"a": 1.5}, {"a": {}}, [], "a", 7),
    "num_labels": (-1, 10**9, 10**30, "3", 1.5, [3], {}, True),
    "pruned_heads": ({"x": []}, {"0": 5}, {"0": ["a"]}, {"0": {"a": 1}}, {"0": [-1]}, [[1]], {"0": [[1]]}, "0"),
    "torch_dtype": (5, [], ["float32"], {"a": 1}, True, 1.5),
    "model_type": (5, [], {}, True),
    "architectures": ("BertModel", [1], {}, [None], 7),
    "attn_implementation": ("kernels-community/attention", 7, [], {}, "flash_attention_9"),
    "hidden_act": (7, [], {}, None),
    "position_embedding_type": ("os.system", 7, [], {}),
    "problem_type": ("os.system", 7),
    "pad_token_id": (10**9 + 1, "0", [0], 1.5),
}
#: Model types that there are not; a class that is asked for by its name may be what they mean.
UNKNOWN = ("", "nonsense", "../bert", "os.system", "__class__", "bert\0", "x" * 10**5, None)
#: What a configuration needs for itself.
OWN = (
    "__class__", "__dict__", "__init__", "__reduce__", "__getattr__", "__setattr__", "__module__", "to_dict",
    "from_dict", "from_pretrained", "save_pretrained", "validate", "update", "push_to_hub", "to_json_string",
    "use_return_dict", "_fields", "_positional", "_check_fields", "_set_labels", "get_text_config",
)  # fmt: skip
#: Keys that would turn on code, a network or a path if anyone took them from a file.
ASKING: Mapping[str, Any] = {
    "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "other/repository--evil.Model"},
    "custom_pipelines": {"evil": {"impl": "evil.Pipeline", "pt": ["AutoModel"]}},
    "custom_generate": "evil/repository",
    "trust_remote_code": True,
    "code_revision": "main",
    "use_auth_token": "hf_secret",
    "token": "hf_secret",
    "_commit_hash": "../../../outside",
    "_name_or_path": "https://example.com/evil",
    "name_or_path": "../outside",
    "cache_dir": "../outside",
    "local_files_only": False,
    "force_download": True,
    "resume_download": True,
    "proxies": {"https": "http://example.com"},
    "mirror": "http://example.com",
    "revision": "evil",
    "subfolder": "../outside",
    "verify": False,
    "weights_only": False,
    "from_tf": True,
    "device_map": "auto",
    "offload_folder": "../outside",
    "state_dict": {"x": [1]},
    "quantization_config": {"quant_method": "evil", "modules": ["os"]},
    "return_unused_kwargs": True,
    "output_loading_info": True,
    "ignore_mismatched_sizes": True,
    "strict": False,
    "config": "/etc/passwd",
    "config_class": "evil.Config",
    "backbone": "https://example.com/evil",
    "use_timm_backbone": True,
    "tokenizer_file": "/etc/passwd",
    "tokenizer_class": "os.system",
    "vocab_file": "/etc/passwd",
    "feature_extractor_type": "evil.Extractor",
    "base_model_name_or_path": "../outside",
    "adapter_name_or_path": "../outside",
    "_attn_implementation": "kernels-community/attention",
    "transformers_version": "99.0",
    "self": "self",
    "cls": "cls",
    "args": [1],
    "kwargs": {"a": 1},
    "": "nothing",
    "a\nb": "two lines",
    "\x1b[2J": "\x1b[2J",
    "import": "os",
    "x" * 10**5: 1,
}
#: Sizes that a configuration may have and no checkpoint of a few kilobytes has.
ABSURD: Mapping[str, Mapping[str, Any]] = {
    "a vocabulary of a terabyte": {"vocab_size": 10**9},
    "states of a terabyte": {"hidden_size": 10**9},
    "a feed-forward of a terabyte": {"intermediate_size": 10**9},
    "positions of a terabyte": {"max_position_embeddings": 10**9},
    "segments of a terabyte": {"type_vocab_size": 10**9},
    "a thousand layers": {"num_hidden_layers": 1024},
    "all sizes at once": {"vocab_size": 10**9, "hidden_size": 10**9, "intermediate_size": 10**9},
    "a thousand heads": {"num_attention_heads": 1024, "hidden_size": 1024},
    "no layers": {"num_hidden_layers": 0},
    "distances of a terabyte": {"position_embedding_type": "relative_key", "max_position_embeddings": 10**9},
}
#: Sizes that no model has.
IMPOSSIBLE: Mapping[str, Mapping[str, Any]] = {
    "a million layers": {"num_hidden_layers": 10**6},
    "a layer less than none": {"num_hidden_layers": -1},
    "a vocabulary of nothing": {"vocab_size": 0},
    "a size of 300 digits": {"hidden_size": 10**300},
    "an epsilon of 300 digits": {"layer_norm_eps": 10**390},
    "a dropout of two": {"hidden_dropout_prob": 2},
}


def config(**values: Any) -> bytes:
    """The bytes of the sound configuration with other values."""
    return as_json({**CONFIG_VALUES, **values})


def cases() -> list[Case]:
    """The cases of this file."""
    found = [Case(f"config: {what}", {FILE: text}, CONFIG, blames=FILE) for what, text in NO_OBJECTS.items()]
    found += [Case(f"config: {what}", {FILE: config(**values)}, doors, blames=FILE) for what, values, doors in _wrong()]
    found += [Case(f"config: its own {name}", {FILE: config(**{name: 1})}, CONFIG, blames=FILE) for name in OWN]
    found += [
        Case(f"config: {what}", {FILE: config(**values)}, CONFIG, blames=FILE) for what, values in IMPOSSIBLE.items()
    ]
    found += [Case(f"config: {what}", {FILE: config(**values)}, MODEL) for what, values in ABSURD.items()]
    found += [
        Case(f"config: asks for {name[:40]!r}", {FILE: config(**{name: value})}, CONFIG, verdict="read")
        for name, value in ASKING.items()
    ]
    found += [
        Case(f"config: model_type {str(name)[:20]!r}", {FILE: config(model_type=name)}, ("AutoConfig", *MODEL[1:]))
        for name in UNKNOWN
    ]
    found += [_huge(), _many_labels(), *_small_files_of_large_models()]
    return found


def _wrong() -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Every field of BERT with two values that it does not admit, and who is to refuse them."""
    from triformers import BertConfig
    from triformers.configuration import _field_hints
    from triformers.fields import admits

    for name, hint in _field_hints(BertConfig).items():
        if name not in WRONG:
            for value in [value for value in VALUES if not admits(value, hint)][:2]:
                yield f"{name} of {str(value)[:20]!r}", {name: value}, CONFIG
    for name, values in WRONG.items():
        for index, value in enumerate(values):
            doors = CONFIGURED if name == "model_type" else CONFIG
            yield f"{name} of {str(value)[:20]!r} ({index})", {name: value}, doors


def _huge() -> Case:
    """A file larger than any configuration, of which nothing is written."""

    def hole(path: Any) -> None:
        with path.open("wb") as file:
            file.truncate(2**37)

    return Case("config: of 128 gigabytes", {FILE: hole}, CONFIG, blames=FILE)


def _many_labels() -> Case:
    """As many labels as a megabyte holds: strange, and a model."""
    labels = {str(index): f"L{index}" for index in range(50_000)}
    return Case("config: fifty thousand labels", {FILE: config(id2label=labels)}, ("AutoConfig",), verdict="read")


def _small_files_of_large_models() -> Iterator[Case]:
    """Checkpoints that are complete but for a module that may be absent, and would be gigantic."""
    wide = 50_000
    names = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    shapes = {f"embeddings.{name}.weight": (1, wide) for name in names}
    shapes |= {f"embeddings.LayerNorm.{leaf}": (wide,) for leaf in ("weight", "bias")}
    sizes = dict(vocab_size=1, max_position_embeddings=1, type_vocab_size=1, num_hidden_layers=0, hidden_size=wide)
    files = {
        FILE: config(**sizes, architectures=["BertModel"]),
        "model.safetensors": assembled(
            {
                name: entry("F16", shape, (2 * wide * index, 2 * wide * (index + 1)))
                for index, (name, shape) in enumerate(shapes.items())
            },
            bytes(2 * wide * len(shapes)),
        ),
    }
    yield Case("config: a pooler of ten gigabytes", files, ("Model",))
    many = {f"x{number}": entry("F32", (0,), (0, 0)) for number in range(10_000)}
    files = {FILE: config(num_hidden_layers=1024), "model.safetensors": assembled(many)}
    yield Case("config: a thousand layers and ten thousand empty tensors", files, MODEL)
    named = {f"bert.encoder.layer.{index}.output.dense.bias": entry("F32", (8,), (0, 0)) for index in range(1024)}
    for index, each in enumerate(named.values()):
        each["data_offsets"] = (32 * index, 32 * index + 32)
    files = {FILE: config(num_hidden_layers=1024), "model.safetensors": assembled(named, bytes(32 * len(named)))}
    yield Case("config: a thousand layers of one tensor each", files, MODEL)
    near = {f"embeddings.word_embeddings.weight{number}": entry("F32", (0,), (0, 0)) for number in range(10_000)}
    yield Case("tensors: ten thousand names that are nearly right", {"model.safetensors": assembled(near)}, MODEL)
    long = {f"{'embeddings.' * 60}{number}": entry("F32", (0,), (0, 0)) for number in range(1200)}
    yield Case("tensors: names of a thousand words", {"model.safetensors": assembled(long)}, MODEL)
