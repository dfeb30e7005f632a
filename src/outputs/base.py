"""ModelOutput: how an output behaves, and how a call says what it wants to have in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, dataclass_transform


@dataclass_transform(kw_only_default=False)
class ModelOutput(dict):
    """Base of all outputs: a dict of the fields that are there, in their declared order.

    `output.logits`, `output["logits"]` and `output[0]` read the same field; a field that is absent reads as None
    by attribute, is no key, and is skipped by index and by `to_tuple()`.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [name for name, hint in inspect.get_annotations(cls).items() if "ClassVar" not in str(hint)]
        for name in own:  # the class attribute would hide the item
            if name in cls.__dict__:
                delattr(cls, name)
        cls._fields = (*cls._fields, *own)
        for register in _registrars:
            register(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        if len(args) == 1 and not kwargs and (pairs := _pairs(args[0])) is not None:
            args, kwargs = (), pairs
        if len(args) > len(self._fields):
            raise TypeError(f"{type(self).__name__} has {len(self._fields)} fields, got {len(args)} values.")
        for name, value in {**dict(zip(self._fields, args, strict=False)), **kwargs}.items():
            self[name] = value

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            return self.get(name)
        raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self._fields)}.")

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise KeyError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self._fields)}.")
        if value is None:
            dict.pop(self, name, None)
        else:
            super().__setitem__(name, value)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._fields if dict.__contains__(self, name))

    def keys(self) -> Any:
        """The names of the fields that are there, in declared order."""
        return dict.fromkeys(self).keys()

    def values(self) -> Any:
        """The values of the fields that are there, in declared order."""
        return self.plain().values()

    def items(self) -> Any:
        """The (name, value) pairs of the fields that are there, in declared order."""
        return self.plain().items()

    def to_tuple(self) -> tuple:
        """The values that are there, in declared order."""
        return tuple(dict.__getitem__(self, name) for name in self)

    def plain(self) -> dict[str, Any]:
        """The same fields as a plain dict, for what knows no subclass of dict."""
        return {name: dict.__getitem__(self, name) for name in self}

    def __reduce__(self) -> tuple:
        return type(self), (self.plain(),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.items())})"


def _fixed(self: ModelOutput, *args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError(f"the fields of a {type(self).__name__} are set by name; none can be taken out or merged in.")


for _method in ("__delitem__", "pop", "popitem", "setdefault", "update", "clear"):
    setattr(ModelOutput, _method, _fixed)


#: Functions that make an output type known to a framework's pytrees; a framework adds its own when it is imported.
_registrars: list[Callable[[type[ModelOutput]], None]] = []


def register_pytrees(register: Callable[[type[ModelOutput]], None]) -> None:
    """Call `register` for every output type there is and every one defined later."""
    _registrars.append(register)
    for output_type in _subclasses(ModelOutput):
        register(output_type)


def flatten(output: ModelOutput) -> tuple[list[Any], tuple[str, ...]]:
    """An output as (values, names): what a pytree registration asks for."""
    return list(output.to_tuple()), tuple(output)


def unflatten(output_type: type[ModelOutput], names: Iterable[str], values: Iterable[Any]) -> ModelOutput:
    """The inverse of `flatten`; the values may be anything, None too."""
    output = output_type()
    for name, value in zip(names, values, strict=True):
        dict.__setitem__(output, name, value)
    return output


def dotted(output: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of an output, nested ones under dotted names."""
    pairs = output.items() if isinstance(output, Mapping) else enumerate(output)
    for name, value in pairs:
        if isinstance(value, (Mapping, Sequence)):
            yield from dotted(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _subclasses(cls: type[ModelOutput]) -> Iterator[type[ModelOutput]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _pairs(value: Any) -> dict[str, Any] | None:
    """The fields that a single positional argument spells out: a mapping, or (name, value) pairs as `tf.nest` gives."""
    return dict(value) if isinstance(value, (Mapping, Iterator)) else None


@dataclass(frozen=True)
class Wanted:
    """What a call asks to have returned: the call's own arguments, or the configuration's where it does not say."""

    attentions: bool
    hidden_states: bool
    return_dict: bool
    cache: bool = False

    @classmethod
    def of(
        cls,
        config: Any,
        output_attentions: bool | None,
        output_hidden_states: bool | None,
        return_dict: bool | None,
        use_cache: bool | None = False,
    ) -> Wanted:
        """Complete a call's arguments from the configuration."""
        return cls(
            config.output_attentions if output_attentions is None else output_attentions,
            config.output_hidden_states if output_hidden_states is None else output_hidden_states,
            config.use_return_dict if return_dict is None else return_dict,
            config.use_cache if use_cache is None else use_cache,
        )

    def state(self, hidden: Any) -> tuple:
        """A hidden state to add to those that are returned: itself, or nothing, so that it need not be kept."""
        return (hidden,) if self.hidden_states else ()

    def attention(self, weights: Any) -> tuple:
        """Attention weights to add to those that are returned: themselves, or nothing; None is no attention."""
        return (weights,) if self.attentions and weights is not None else ()

    def answer(self, output: ModelOutput) -> Any:
        """The output itself, or its values as a tuple."""
        return output if self.return_dict else output.to_tuple()
