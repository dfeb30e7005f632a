"""A PyTorch loop trains our models as it trains any module."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.backend("torch")


def test_a_loop_learns() -> None:
    import torch

    from tests.training.task import CONFIG, batch
    from triformers import BertForSequenceClassification

    torch.manual_seed(0)
    model = BertForSequenceClassification(CONFIG, seed=0)
    assert model.training
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    inputs = {name: torch.as_tensor(array) for name, array in batch().items()}
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = model(**inputs).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_dropout_is_on_in_training_alone() -> None:
    import torch

    from tests.training.task import CONFIG, batch
    from triformers import BertForSequenceClassification

    model = BertForSequenceClassification(CONFIG, seed=0).eval()
    inputs = {name: torch.as_tensor(array) for name, array in batch().items()}
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.train()
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


@pytest.mark.parametrize("stem", ["BertModel", "GPT2Model"])
def test_attention_is_the_same_fused_and_explicit(stem: str, tmp_path: object) -> None:
    import numpy as np
    import torch

    import triformers
    from tests.specs import spec_of, without_dropout

    model_class = getattr(triformers, stem)
    config_class = model_class.config_class
    config = config_class(**{**spec_of(stem).tiny, **without_dropout(config_class), "initializer_range": 0.3})
    model_class(config, seed=0).double().save_pretrained(tmp_path)
    arrays = spec_of(stem).batch_of(config, np.random.default_rng(0))
    inputs = {name: torch.as_tensor(array) for name, array in arrays.items()}
    inputs["attention_mask"][0, :3], inputs["attention_mask"][-1] = 0, 0  # rows that see nothing
    found = []
    for kind in ("sdpa", "eager"):
        model = model_class.from_pretrained(tmp_path, dtype=torch.float64, attn_implementation=kind)
        answer = model(**inputs).last_hidden_state
        answer.square().sum().backward()
        found.append([answer, *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)])
    largest = max(array.abs().max() for array in found[1][1:])
    assert (found[0][0] - found[1][0]).abs().max() < 1e-12
    assert all((one - other).abs().max() < 1e-12 * largest for one, other in zip(*found, strict=True))


def test_a_seed_of_the_global_generator_decides() -> None:
    import torch

    from tests.training.task import CONFIG
    from triformers import BertModel

    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(BertModel(CONFIG).embeddings.word_embeddings.weight)
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_an_output_is_a_pytree() -> None:
    import torch
    from torch.utils import _pytree as pytree

    from triformers.outputs import SequenceClassifierOutput

    output = SequenceClassifierOutput(logits=torch.ones(2), hidden_states=(torch.zeros(1),))
    doubled = pytree.tree_map(lambda tensor: tensor * 2, output)
    assert isinstance(doubled, SequenceClassifierOutput) and doubled.loss is None
    assert torch.equal(doubled.logits, torch.full((2,), 2.0))


def test_a_users_own_head_keeps_what_it_gives_itself(tmp_path: object) -> None:
    import torch
    from torch import nn

    from tests.training.task import CONFIG, batch
    from triformers import BertModel, BertPreTrainedModel

    class Tagger(BertPreTrainedModel):
        def __init__(self, config: object) -> None:
            super().__init__(config)
            self.bert = BertModel(config, add_pooling_layer=False)
            self.recurrent = nn.LSTM(24, 5, batch_first=True)
            self.scale = nn.Parameter(torch.full((3,), 7.0))
            self.register_buffer("ones", torch.ones(2))

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.recurrent(self.bert(input_ids).last_hidden_state)[0]

    made = Tagger(CONFIG, seed=0).eval()
    assert torch.equal(made.scale, torch.full((3,), 7.0)) and made.recurrent.weight_ih_l0.abs().max() > 0
    made.save_pretrained(tmp_path)
    again = Tagger.from_pretrained(tmp_path)
    ids = torch.as_tensor(batch()["input_ids"])
    assert torch.equal(again(ids), made(ids))
    BertModel(CONFIG, seed=3).save_pretrained(tmp_path)
    grafted, info = Tagger.from_pretrained(tmp_path, output_loading_info=True)
    assert torch.equal(grafted.scale, torch.full((3,), 7.0)) and "scale" in info["missing_keys"]
    assert not [name for name, tensor in grafted.state_dict().items() if tensor.is_meta]


def test_an_architecture_of_the_users_own(tmp_path: object) -> None:
    import torch
    from torch import nn

    from triformers import PretrainedConfig, PreTrainedModel

    class PerceptronConfig(PretrainedConfig):
        model_type = "perceptron"

        def __init__(self, width: int = 7, **kwargs: object) -> None:
            self.width = width
            super().__init__(**kwargs)

    class Perceptron(PreTrainedModel):
        config_class = PerceptronConfig

        def __init__(self, config: PerceptronConfig) -> None:
            super().__init__(config)
            self.layers = nn.Sequential(nn.Linear(config.width, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x)

    made = Perceptron(PerceptronConfig(width=3))
    x = torch.randn(9, 3)
    made(x)  # moves the running statistics
    made.eval().save_pretrained(tmp_path)
    again = Perceptron.from_pretrained(tmp_path)
    assert again.config.width == 3 and torch.equal(again(x), made(x))
