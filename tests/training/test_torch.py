"""A PyTorch loop trains our models as it trains any module."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.backend("torch")


def test_a_loop_learns() -> None:
    import torch
    from triformers import BertForSequenceClassification

    from tests.training.task import CONFIG, batch

    torch.manual_seed(0)
    model = BertForSequenceClassification(CONFIG, seed=0)
    assert not model.training
    model.train()
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
    from triformers import BertForSequenceClassification

    from tests.training.task import CONFIG, batch

    model = BertForSequenceClassification(CONFIG, seed=0)
    inputs = {name: torch.as_tensor(array) for name, array in batch().items()}
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.train()
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_attention_is_the_same_fused_and_explicit(tmp_path: object) -> None:
    import torch
    from triformers import BertModel

    from tests.training.task import CONFIG, batch

    fused = BertModel(CONFIG, seed=0).double()
    fused.save_pretrained(tmp_path)
    explicit = BertModel.from_pretrained(tmp_path, dtype=torch.float64, attn_implementation="eager")
    inputs = {name: torch.as_tensor(array) for name, array in batch().items() if name != "labels"}
    one, other = (model(**inputs).last_hidden_state for model in (fused, explicit))
    assert (one - other).abs().max() < 1e-12


def test_a_seed_of_the_global_generator_decides() -> None:
    import torch
    from triformers import BertModel

    from tests.training.task import CONFIG

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
