"""Processors that ask others: a user's function, other beams, the model without its prompt.

Shapes: B rows, L room for tokens, V tokens of the vocabulary, K beams of a prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..arrays import is_number, length_of, ops_of
from .base import INFINITY, LogitsProcessor, refused


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """Keeps the tokens that a function allows after what is there (De Cao et al. 2021, https://arxiv.org/abs/2010.00904).

    Args:
        prefix_allowed_tokens_fn: `(number of the prompt, its tokens so far) -> allowed token ids`. The tokens come as a
            tensor in PyTorch, as a NumPy array in TensorFlow and JAX.
        num_beams: How many rows each prompt has.

    Raises:
        InputError: In a call, the function allows no token at all, or one beyond the vocabulary.
    """

    compiles: ClassVar[bool] = False

    def __init__(self, prefix_allowed_tokens_fn: Callable[[int, Any], Any], num_beams: int) -> None:
        self.prefix_allowed_tokens_fn = prefix_allowed_tokens_fn
        self.num_beams = num_beams

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        shape = tuple(scores.shape)

        def allowed(ids: Any, length: Any) -> np.ndarray:
            return self._allowed(ids[:, : int(length)], shape)

        length = length_of(input_ids, cur_len, ops)
        return ops.where(ops.host(allowed, shape, "bool", input_ids, length), scores, -INFINITY)

    def _allowed(self, ids: Any, shape: tuple[int, ...]) -> np.ndarray:
        """[B, V], whether each token may follow."""
        mask = np.zeros(shape, bool)
        for row, tokens in enumerate(ids):
            prompt = row // self.num_beams
            chosen = np.asarray(self.prefix_allowed_tokens_fn(prompt, tokens)).reshape(-1)
            if not chosen.size or chosen.max() >= shape[1]:
                found = "no token" if not chosen.size else chosen.max()
                expected = f"at least one token id below {shape[1]} for prompt {prompt}"
                raise refused("prefix_allowed_tokens_fn", found, expected, "Let it allow the end of a text at least.")
            mask[row, chosen] = True
        return mask


class HammingDiversityLogitsProcessor(LogitsProcessor):
    """Makes tokens less likely that earlier groups of beams chose (Vijayakumar et al. 2018, https://arxiv.org/abs/1610.02424).

    Args:
        diversity_penalty: What each such beam takes off a token's score.
        num_beams: K, the beams of all groups together.
        num_beam_groups: How many groups there are.

    Raises:
        InputError: The penalty is no float above 0, or beams and groups are not at least 2, or more groups than beams.
    """

    def __init__(self, diversity_penalty: float, num_beams: int, num_beam_groups: int) -> None:
        if not isinstance(diversity_penalty, float) or not diversity_penalty > 0:
            raise refused("diversity_penalty", diversity_penalty, "a float above 0")
        for option, value in (("num_beams", num_beams), ("num_beam_groups", num_beam_groups)):
            if not is_number(value) or value < 2:
                raise refused(option, value, "a whole number above 1")
        if num_beam_groups > num_beams:
            raise refused("num_beam_groups", num_beam_groups, f"no more than the {num_beams} beams")
        self.diversity_penalty = diversity_penalty
        self.num_beams = num_beams
        self.group_size = num_beams // num_beam_groups

    def __call__(
        self, input_ids: Any, scores: Any, current_tokens: Any, beam_group_idx: int, cur_len: Any = None
    ) -> Any:
        """New scores of one group's beams.

        Args:
            input_ids: [B * group size, L], not looked at.
            scores: [B * group size, V].
            current_tokens: [B * K], what each beam has chosen at this step; that of later groups is not looked at.
            beam_group_idx: The number of the group.
            cur_len: Not looked at.
        """
        earlier = beam_group_idx * self.group_size
        if earlier == 0:
            return scores
        ops = ops_of(scores)
        rows, vocabulary = ops.shape(scores)
        prompts = rows // self.group_size
        tokens = ops.reshape(current_tokens, (prompts, self.num_beams))[:, :earlier]
        nothing = ops.full((prompts, vocabulary), 0.0, scores)
        counts = nothing
        for beam in range(earlier):
            counts = counts + ops.put(nothing, tokens[:, beam : beam + 1], 1.0)
        return scores - self.diversity_penalty * ops.repeat_rows(counts, self.group_size)


class UnbatchedClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Moves scores away from those of an unconditional prompt (Sanchez et al. 2023, https://arxiv.org/abs/2306.17806).

    It follows one text: it reads the token that was added since its last call. A new text needs a new processor.

    Args:
        guidance_scale: How far; 1 leaves the scores of the prompt.
        model: A model of any framework; it is called with `input_ids`, `attention_mask`, and if it can keep a cache
            `use_cache`, `past_key_values`.
        unconditional_ids: [B, U] the unconditional or negative prompt; the last token of the prompt if None.
        unconditional_attention_mask: [B, U], 1 where one of its tokens is none of the padding.
        use_cache: Whether the model keeps what it has read of it.
    """

    compiles: ClassVar[bool] = False

    def __init__(
        self,
        guidance_scale: float,
        model: Any,
        unconditional_ids: Any = None,
        unconditional_attention_mask: Any = None,
        use_cache: bool | None = True,
    ) -> None:
        self.guidance_scale = guidance_scale
        self.model = model
        self.use_cache = use_cache is not False
        self._ids = unconditional_ids
        self._mask = unconditional_attention_mask
        self._cache: Any = None
        self._has_begun = False

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        scores = ops.log_softmax(scores)
        if self.guidance_scale == 1:
            return scores
        last = ops.column(input_ids, length_of(input_ids, cur_len, ops) - 1)[:, None]
        unconditional = ops.log_softmax(ops.cast_like(self._unconditional(last, ops), scores))
        return self.guidance_scale * (scores - unconditional) + unconditional

    def _unconditional(self, last: Any, ops: Any) -> Any:
        """The scores of the token after the unconditional prompt and what was added to it: [B, V]."""
        if not self._has_begun:
            self._has_begun = True
            self._ids = last if self._ids is None else self._ids
            self._mask = ops.full(ops.shape(self._ids), 1, self._ids) if self._mask is None else self._mask
            read = self._ids
        else:
            self._mask = ops.concatenate([self._mask, ops.full(ops.shape(last), 1, self._mask)], 1)
            last = ops.cast_like(last, self._ids)
            self._ids = last if self.use_cache else ops.concatenate([self._ids, last], 1)
            read = self._ids
        keeps_cache = getattr(self.model, "keeps_cache", lambda: True)()
        cached = {"use_cache": self.use_cache, "past_key_values": self._cache} if keeps_cache else {}
        answer = self.model(input_ids=read, attention_mask=self._mask, **cached)
        self._cache = answer.past_key_values if self.use_cache else None
        return answer.logits[:, -1]
