"""What pushing a model to the Hub knows of it, beside its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Any

from ..cards import BACKENDS, all_cards
from ..conversion.formats.names import left_over_beside
from ..files.transaction import SaveTransaction
from ..hub.model_card import CARD_NAME, CardFacts, card_text, pipeline_tag, with_tags
from ..hub.push import PushToHub


class PushModelToHub(PushToHub):
    """A model that can be pushed: its card says what loads it, and earlier files of its formats go."""

    config: Any
    is_listed: Callable[[], bool]
    _stem: Callable[[], str]
    _form_of_push = ("max_shard_size", "safe_serialization")

    def create_model_card(
        self,
        output_dir: str | os.PathLike,
        model_name: str,
        language: str | None = None,
        license: str | None = None,
        tags: list[str] | str | None = None,
        finetuned_from: str | None = None,
        tasks: str | list[str] | None = None,
        dataset_tags: str | list[str] | None = None,
        dataset: str | list[str] | None = None,
        dataset_args: str | list[str] | None = None,
    ) -> None:
        """Write a card, README.md, into a directory; a push from there takes it.

        Args:
            output_dir: Made if it is not there.
            model_name: The card's title, and what its example loads.
            language: The language of the data.
            license: The licence of the model.
            tags: What the card is found by.
            finetuned_from: The model that this one comes from.
            tasks: The Hub's name of the task; by default that of the class.
            dataset_tags: The datasets, as the Hub names them.
            dataset: The datasets, for a reader.
            dataset_args: Their parts, for a reader.

        Raises:
            FileError: The directory cannot be made or written.
        """
        told = {
            "language": language, "license": license, "finetuned_from": finetuned_from, "tasks": tasks,
            "dataset_tags": dataset_tags, "dataset": dataset, "dataset_args": dataset_args,
        }  # fmt: skip
        text = card_text(model_name, self._card_facts(), told)
        with SaveTransaction(output_dir) as stage:
            stage.write_text(CARD_NAME, with_tags(text, [tags] if isinstance(tags, str) else tags or []))

    def _card_facts(self) -> CardFacts:
        stem, kind = self._stem(), type(self).__name__
        card = all_cards().get(self.config.model_type) if self.is_listed() else None
        names = () if card is None else (BACKENDS[backend].class_prefix + stem for backend in card.backends)
        tag = pipeline_tag(stem)
        siblings = tuple(name for name in names if name != kind)
        return CardFacts.of(self, siblings, **({} if tag is None else {"pipeline_tag": tag}))

    def _left_over_beside(self, saved: Collection[str]) -> Callable[[str], bool]:
        return left_over_beside(saved)


class PushInTheOrderOfTF(PushModelToHub):
    """A Keras model: its `push_to_hub` has the order of 4.x, and some defaults of its own."""

    def push_to_hub(
        self,
        repo_id: str,
        use_temp_dir: bool | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        max_shard_size: int | str | None = "10GB",
        token: str | bool | None = None,
        use_auth_token: str | bool | None = None,
        create_pr: bool = False,
        **base_model_card_args: Any,
    ) -> Any:
        """Save, and push what was saved to the Hub in one commit; as in the other frameworks, in 4.x' order.

        Args:
            repo_id: The repository, made if it is not there.
            use_temp_dir: Whether to save into a temporary folder.
            commit_message: The commit's first line.
            private: Whether a repository that is made is private.
            max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB".
            token: An access token with the right to write.
            use_auth_token: Its older name.
            create_pr: Whether to ask for the change in a pull request.
            base_model_card_args: What else the other frameworks' `push_to_hub` takes, the card's head included.

        Raises:
            FileError: It cannot be saved, or the Hub refuses.
            InputError: An argument that cannot be.
        """
        told = {"use_auth_token": use_auth_token, **base_model_card_args}
        return super().push_to_hub(
            repo_id, use_temp_dir, commit_message, private, token, max_shard_size, create_pr, **told
        )
