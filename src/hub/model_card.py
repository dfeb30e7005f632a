"""Model cards: the README.md of a repository on the Hub, with a head that the Hub reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..files.errors import FileError, three_beats

CARD_NAME = "README.md"

#: Arguments of 4.x about a card -> what the card's head calls them.
CARD_ARGUMENTS: Mapping[str, str] = {
    "language": "language",
    "license": "license",
    "finetuned_from": "base_model",
    "tasks": "pipeline_tag",
    "dataset_tags": "datasets",
    "dataset": "dataset",
    "dataset_args": "dataset_args",
    "model_name": "model_name",
}

#: End of a model class's name -> the task that the Hub offers for it.
PIPELINE_TAGS: Mapping[str, str] = {
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForTableQuestionAnswering": "table-question-answering",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForUniversalSegmentation": "image-segmentation",
    "ForDepthEstimation": "depth-estimation",
    "ForCTC": "automatic-speech-recognition",
    "ForAudioClassification": "audio-classification",
    "Model": "feature-extraction",
}


@dataclass(frozen=True)
class CardFacts:
    """What a card can say of an object without asking its author.

    Attributes:
        kind: The class.
        home: The module that it is imported from; empty where it has none.
        siblings: The classes of other frameworks that load the same files.
        head: What the card's head says.
    """

    kind: str
    home: str = ""
    siblings: tuple[str, ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, found: object, siblings: tuple[str, ...] = (), **head: Any) -> CardFacts:
        """The facts about an object; the library's own classes are imported from the top."""
        module, library = type(found).__module__, __name__.partition(".")[0]
        home = library if module.partition(".")[0] == library else module
        return cls(type(found).__name__, "" if home == "__main__" else home, siblings, head)


def pipeline_tag(stem: str) -> str | None:
    """The Hub's task for a model class, given without its framework's prefix."""
    return next((task for end, task in PIPELINE_TAGS.items() if stem.endswith(end)), None)


def card_text(name: str, facts: CardFacts, told: Mapping[str, Any]) -> str:
    """A card for a repository that has none.

    Args:
        name: The repository.
        facts: What is known.
        told: What the author says, by `CARD_ARGUMENTS`.
    """
    from huggingface_hub import ModelCardData

    said = {CARD_ARGUMENTS[argument]: value for argument, value in told.items() if value is not None}
    title = said.pop("model_name", None) or name.rpartition("/")[2]
    dataset, part = said.pop("dataset", None), said.pop("dataset_args", None)
    # The Hub knows what to do with these files by the library that their format is of.
    head = ModelCardData(**{"library_name": "transformers", **facts.head, **said})
    imported = f"from {facts.home} import {facts.kind}" if facts.home else f"# {facts.kind} is a class of the author's"
    others = f"  # {' and '.join(facts.siblings)} load the same files" if facts.siblings else ""
    trained = f" It was trained on {_listed(dataset)}{f' ({_listed(part)})' if part else ''}." if dataset else ""
    return f"""---
{head.to_yaml()}
---

# {title}

A `{facts.kind}`, pushed with triformers.{trained}

```python
{imported}{others}

loaded = {facts.kind}.from_pretrained("{name}")
```

Nobody has yet written here what it is for, what it was made from, and where it fails.
"""


def _listed(value: str | Collection[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def with_tags(text: str, tags: Collection[str]) -> str:
    """A card with tags added to those in its head; its text stays.

    Raises:
        FileError: Its head cannot be read.
    """
    if not tags:
        return text
    import yaml
    from huggingface_hub import ModelCard

    try:
        card = ModelCard(text)
    except (yaml.YAMLError, ValueError) as error:
        found = f"the head of {CARD_NAME} cannot be read ({str(error).splitlines()[0]})"
        remedy = "Correct the card, or push without tags."
        raise FileError(three_beats(found, "YAML between two lines of ---, names with values", remedy)) from None
    data: Any = card.data
    held = list(data.tags or [])
    if missing := [tag for tag in tags if tag not in held]:
        data.tags = [*held, *missing]
        return card.content
    return text
