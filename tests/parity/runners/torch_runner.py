"""PyTorch, for the harness."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import triformers
from tests.parity.runners import arrays

PREFIX = ""


def prepare(device: str) -> None:
    """Pin the precision, so that the device computes what it is asked to."""
    torch.set_num_threads(2)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_default_device({"cpu": "cpu", "gpu": "cuda"}[device])


def model_class(stem: str) -> Any:
    """The class of this name."""
    return getattr(triformers, PREFIX + stem)


def load(stem: str, folder: Any, dtype: str, **kwargs: Any) -> Any:
    """A checkpoint, every parameter in `dtype`."""
    answer = model_class(stem).from_pretrained(folder, dtype=dtype, **kwargs)
    (answer[0] if isinstance(answer, tuple) else answer).to(torch.get_default_device())
    return answer


def tensors(inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """NumPy inputs as the framework's."""
    return {name: torch.as_tensor(array, device=torch.get_default_device()) for name, array in inputs.items()}


def forward(model: Any, inputs: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    """The outputs of a call by flat name."""
    with torch.no_grad():
        output = model.eval()(**tensors(inputs), **options)
    return {name: value.cpu().numpy() for name, value in arrays(output)}


#: How a call that is in order is run fastest.
evaluate = forward


def step(model: Any, inputs: dict[str, np.ndarray], past: Any) -> tuple[dict[str, np.ndarray], Any]:
    """The outputs of a call that reads on from a cache, and the cache that it answers with."""
    with torch.no_grad():
        output = model.eval()(**tensors(inputs), past_key_values=past, use_cache=True)
    return {name: value.cpu().numpy() for name, value in arrays(output)}, output.past_key_values


def empty_caches(model: Any, batch: int, length: int) -> list[Any]:
    """What a sequence can be begun with: no cache."""
    return [None]


def forward_as_float32(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a call, whatever type they are computed in, widened to what NumPy knows."""
    return {name: value.detach().float().cpu().numpy() for name, value in arrays(model(**tensors(inputs)))}


def gradients(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of the loss with respect to every parameter that has one, in canonical names and axes."""
    model.zero_grad()
    model(**tensors(inputs)).loss.backward()
    return {
        name: parameter.grad.cpu().numpy() for name, parameter in model.named_parameters() if parameter.grad is not None
    }


def train(model: Any, inputs: dict[str, np.ndarray], steps: int, rate: float, decay: float) -> None:
    """Optimizer steps with AdamW, dropout off."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        model(**tensors(inputs)).loss.backward()
        optimizer.step()
