"""A user's own PyTorch model: known layers, one of an unknown kind, one with buffers; a base and a head."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tests.auto.own import ScalerConfig
from triformers import PreTrainedModel


class Scaler(nn.Module):
    """A layer of no kind that the library knows, with values of its own making."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, features))
        self.register_buffer("steps", torch.arange(features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.steps


class Network(nn.Module):
    """A plain module that knows nothing of this library."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, features)
        self.norm = nn.BatchNorm1d(features)
        self.scaler = Scaler(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scaler(self.norm(torch.tanh(self.dense(x))))


class ScalerModel(PreTrainedModel):
    """Wraps the plain module."""

    config_class = ScalerConfig

    def __init__(self, config: ScalerConfig) -> None:
        super().__init__(config)
        self.network = Network(config.width, config.features)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.network(pixels)


class ScalerModelForImageClassification(PreTrainedModel):
    """The same with a head, answering with a plain dict."""

    config_class = ScalerConfig

    def __init__(self, config: ScalerConfig) -> None:
        super().__init__(config)
        self.network = Network(config.width, config.features)
        self.head = nn.Linear(config.features, config.num_labels)
        self.post_init()

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        logits = self.head(self.network(pixels))
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def train(model: Any, pixels: np.ndarray) -> None:
    """One pass that moves the running statistics, and one step that moves every parameter."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = model.train()(torch.as_tensor(pixels))
    (run["logits"] if isinstance(run, dict) else run).square().mean().backward()
    optimizer.step()
    model.eval()


def run(model: Any, pixels: np.ndarray) -> np.ndarray:
    """The answer to a batch."""
    with torch.no_grad():
        answer = model.eval()(torch.as_tensor(pixels))
    return (answer["logits"] if isinstance(answer, dict) else answer).numpy()
