"""`BatchFeature`: what an image processor or a feature extractor gives; arrays by name."""

from __future__ import annotations

from collections import UserDict
from typing import Any, Self

from ..cards import require_backend
from ..files.errors import InputError, closest, three_beats
from ..tokenization.errors import MissingFieldError
from ..tokenization.options import TensorType
from ..tokenization.tensors import library_of, to_tensor


class BatchFeature(UserDict):
    """The answer of a preprocessor's call: a dictionary whose fields are also attributes.

    Args:
        data: The fields.
        tensor_type: `pt`, `tf`, `np` or `jax`: what they become tensors of; None leaves them as they are.

    Raises:
        InputError: Rows of a field differ in shape, or hold something other than numbers.
        MissingDependencyError: The framework is not installed.
    """

    def __init__(self, data: dict[str, Any] | None = None, tensor_type: str | TensorType | None = None) -> None:
        super().__init__(data)
        self.convert_to_tensors(tensor_type)

    def __getitem__(self, item: str) -> Any:
        """A field by name.

        Raises:
            MissingFieldError: No such field.
        """
        if item not in self.data:
            raise MissingFieldError(self._no_field(item))
        return self.data[item]

    def __getattr__(self, item: str) -> Any:
        data = self.__dict__.get("data", {})
        if item in data:
            return data[item]
        raise AttributeError(self._no_field(item))

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state["data"]

    def _no_field(self, name: object) -> str:
        fields = [str(field) for field in self.__dict__.get("data", {})]
        near = ", ".join(closest(str(name), fields) or fields[:4])
        expected = f"one of its fields, such as {near}" if near else "a field; it has none"
        return three_beats(f"this batch has no field {name!r}", expected, "Ask for one of them.")

    def convert_to_tensors(self, tensor_type: str | TensorType | None = None) -> Self:
        """Turn every field into a tensor of a framework, in place. Arguments and errors are those of the class."""
        if tensor_type is not None:
            kind = TensorType(tensor_type)
            for name, value in self.data.items():
                tensor = to_tensor(value, kind, name=name)
                if kind is TensorType.NUMPY and tensor.dtype == object:
                    found = f"the parts of `{name}` differ in shape"
                    remedy = "Pad or resize them to one shape, or leave return_tensors out for a list."
                    raise InputError(three_beats(found, "one shape for all", remedy))
                self.data[name] = tensor
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move PyTorch's tensors to a device, and its floating ones to a type, in place; other fields stay.

        Args:
            args: A device, a type, or both, as `torch.Tensor.to` takes them.
            kwargs: `device`, `dtype`, `non_blocking`.
        """
        require_backend("torch", wanted_by="BatchFeature.to")
        import torch

        dtype = kwargs.get("dtype", next((each for each in args if isinstance(each, torch.dtype)), None))
        others = [each for each in args if not isinstance(each, torch.dtype)]
        options = {name: value for name, value in kwargs.items() if name != "dtype"}
        for name, value in self.data.items():
            if library_of(value) is TensorType.PYTORCH:
                moved = value.to(*others, **options) if others or options else value
                self.data[name] = moved.to(dtype) if dtype is not None and moved.is_floating_point() else moved
        return self
