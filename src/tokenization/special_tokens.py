"""The special tokens of a tokenizer: which token plays which role, by name and by id."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, ClassVar

from tokenizers import AddedToken

from ..files.errors import InputError, closest, three_beats
from .errors import ArgumentTypeError, MisuseError
from .rust import backend_errors

Token = str | AddedToken
EXTRA_TOKENS = "additional_special_tokens"


def described(token: Token, special: bool) -> AddedToken:
    """A token as it is added: a string gets the flags of its kind, an `AddedToken` keeps its own."""
    if isinstance(token, str):
        return AddedToken(token, rstrip=False, lstrip=False, normalized=not special, special=special)
    return AddedToken(**{**token.__getstate__(), "special": token.special or special})


def require_tokens(owner: type, **roles: Token | None) -> None:
    """Check that the tokens are there that a tokenizer puts into its answers.

    Raises:
        InputError: One of them is None or empty.
    """
    for role, token in roles.items():
        if not token:
            found, expected = f"{role}={token!r}", f"a token: {owner.__name__} puts it into its answers"
            raise InputError(three_beats(found, expected, "Leave it out."))


def token_fields(token: AddedToken) -> dict[str, Any]:
    """The six fields of an added token, in the order in which files hold them."""
    return {
        "content": token.content,
        "single_word": token.single_word,
        "lstrip": token.lstrip,
        "rstrip": token.rstrip,
        "normalized": token.normalized,
        "special": token.special,
    }


class _Role:
    """One special token as an attribute: its text, None while it is not set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance._special_tokens.get(self.name)
        return None if value is None else str(value)

    def __set__(self, instance: Any, value: Token | None) -> None:
        if value is not None and not isinstance(value, (str, AddedToken)):
            raise InputError(
                three_beats(
                    f"{self.name} was set to {value!r} ({type(value).__name__})",
                    "a string or an AddedToken",
                    f"To name a token by its id, set {self.name}_id.",
                )
            )
        instance._special_tokens[self.name] = value


class _RoleId:
    """The id of a special token as an attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.role = name.removesuffix("_id")

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        token = getattr(instance, self.role)
        return None if token is None else instance.convert_tokens_to_ids(token)

    def __set__(self, instance: Any, value: int | None) -> None:
        setattr(instance, self.role, None if value is None else instance.convert_ids_to_tokens(value))


class SpecialTokensMixin:
    """What both kinds of tokenizers know about their special tokens.

    The seven usual roles are attributes (`pad_token`, and `pad_token_id` for its id). A tokenizer may have
    roles of its own (`extra_special_tokens={"image_token": "<image>"}`), which become attributes too, and a
    list of special tokens without a role (`additional_special_tokens`). Setting a role does not add the token
    to the vocabulary; `add_special_tokens` does both.
    """

    SPECIAL_TOKENS_ATTRIBUTES: list[str] = [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
        EXTRA_TOKENS,
    ]

    bos_token: ClassVar[Any] = _Role()
    eos_token: ClassVar[Any] = _Role()
    unk_token: ClassVar[Any] = _Role()
    sep_token: ClassVar[Any] = _Role()
    pad_token: ClassVar[Any] = _Role()
    cls_token: ClassVar[Any] = _Role()
    mask_token: ClassVar[Any] = _Role()
    bos_token_id: ClassVar[Any] = _RoleId()
    eos_token_id: ClassVar[Any] = _RoleId()
    unk_token_id: ClassVar[Any] = _RoleId()
    sep_token_id: ClassVar[Any] = _RoleId()
    pad_token_id: ClassVar[Any] = _RoleId()
    cls_token_id: ClassVar[Any] = _RoleId()
    mask_token_id: ClassVar[Any] = _RoleId()

    def __init__(self, verbose: bool = False, **kwargs: Any) -> None:
        """Take the special tokens among the arguments; the rest is nobody's here.

        Raises:
            ArgumentTypeError: A special token that is neither text nor an `AddedToken`.
            MisuseError: `additional_special_tokens` is not a list of them.
        """
        self._pad_token_type_id = 0
        self._special_lookup: tuple[list[Any], int, dict[str, Token]] | None = None
        self.verbose = verbose
        self._special_tokens: dict[str, Any] = dict.fromkeys(self.SPECIAL_TOKENS_ATTRIBUTES)
        self._special_tokens[EXTRA_TOKENS] = []
        for role, value in kwargs.items():
            if role not in self.SPECIAL_TOKENS_ATTRIBUTES or value is None:
                continue
            if role == EXTRA_TOKENS:
                self._special_tokens[role] = [_as_special(token) for token in _token_list(role, value)]
            elif isinstance(value, (str, AddedToken)):
                self._special_tokens[role] = _as_special(value)
            else:
                raise ArgumentTypeError(
                    three_beats(
                        f"{role}={value!r} ({type(value).__name__})",
                        "a string or an AddedToken",
                        "Correct the argument, or the field in tokenizer_config.json.",
                    )
                )

    def _add_roles(self, tokens: Mapping[str, Token]) -> None:
        """Give this tokenizer roles of its own, such as `image_token`.

        Raises:
            ArgumentTypeError: A role or a token of the wrong type, or a role that hides an attribute.
        """
        for role, token in tokens.items():
            known = isinstance(role, str) and role in self.SPECIAL_TOKENS_ATTRIBUTES
            hides = isinstance(role, str) and not known and hasattr(type(self), role)
            if not isinstance(role, str) or not isinstance(token, (str, AddedToken)) or hides:
                raise ArgumentTypeError(
                    three_beats(
                        f"extra_special_tokens has {role!r}: {token!r}",
                        "names that are not attributes yet, and strings or AddedTokens",
                        "Correct the argument, or the field in tokenizer_config.json.",
                    )
                )
        # A list of this instance's own: the class's stays as it is.
        new = [role for role in tokens if role not in self.SPECIAL_TOKENS_ATTRIBUTES]
        self.SPECIAL_TOKENS_ATTRIBUTES = [*self.SPECIAL_TOKENS_ATTRIBUTES, *new]
        self._special_tokens.update(tokens)

    def __getattr__(self, name: str) -> Any:
        role = name.removesuffix("_id")
        tokens = self.__dict__.get("_special_tokens", {})
        if role in tokens and not hasattr(type(self), role):
            token = None if tokens[role] is None else str(tokens[role])
            if name == role or token is None:
                return token
            return self.convert_tokens_to_ids(token)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        role = name.removesuffix("_id")
        if role in self.__dict__.get("_special_tokens", ()) and not hasattr(type(self), role):
            named_by_id = role != name and value is not None
            self._special_tokens[role] = self.convert_ids_to_tokens(value) if named_by_id else value
        else:
            super().__setattr__(name, value)

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens without a role."""
        return [str(token) for token in self._special_tokens[EXTRA_TOKENS] or ()]

    @additional_special_tokens.setter
    def additional_special_tokens(self, value: Sequence[Token] | None) -> None:
        self._special_tokens[EXTRA_TOKENS] = [] if value is None else _token_list(EXTRA_TOKENS, value)

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of the special tokens without a role."""
        return self.convert_tokens_to_ids(self.additional_special_tokens)

    @additional_special_tokens_ids.setter
    def additional_special_tokens_ids(self, values: Sequence[int]) -> None:
        self.additional_special_tokens = [self.convert_ids_to_tokens(value) for value in values]

    @property
    def pad_token_type_id(self) -> int:
        """The token type of padding."""
        return self._pad_token_type_id

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """Role -> text of the token, for the roles that are set."""
        return {
            role: [str(token) for token in value] if isinstance(value, list) else str(value)
            for role, value in self.special_tokens_map_extended.items()
        }

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """Role -> the token as it was given, an `AddedToken` where it was one."""
        tokens = self._special_tokens
        return {role: tokens[role] for role in self.SPECIAL_TOKENS_ATTRIBUTES if tokens.get(role)}

    @property
    def all_special_tokens_extended(self) -> list[Token]:
        """Every special token once, as it was given, in the order of the roles."""
        return list(self._by_text().values())

    @property
    def all_special_tokens(self) -> list[str]:
        """The text of every special token once, in the order of the roles."""
        return list(self._by_text())

    def special_texts(self) -> Set[str]:
        """The texts of all special tokens, to look others up in."""
        return self._by_text().keys()

    def _by_text(self) -> dict[str, Token]:
        """Text -> special token, in the order of the roles; remembered until one is set or added."""
        values = list(self._special_tokens.values())
        count = len(self._special_tokens[EXTRA_TOKENS] or ())  # this list grows in place
        if self._special_lookup is not None:
            known, known_count, found = self._special_lookup
            if count == known_count and len(values) == len(known) and all(map(operator.is_, values, known)):
                return found
        found = {}
        for value in self.special_tokens_map_extended.values():
            for token in value if isinstance(value, (list, tuple)) else [value]:
                found.setdefault(str(token), token)
        self._special_lookup = (values, count, found)
        return found

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    # -- adding ----------------------------------------------------------------------------------------------

    def add_special_tokens(
        self,
        special_tokens_dict: Mapping[str, Token | Sequence[Token]],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Set special tokens by role, adding those that the vocabulary lacks.

        Args:
            special_tokens_dict: Role -> token (a list for `additional_special_tokens`).
            replace_additional_special_tokens: Whether that list replaces the one there is, or extends it.

        Returns:
            How many tokens were added to the vocabulary; resize the model's embeddings by as many.

        Raises:
            MisuseError: A role that does not exist, or a list that is not one of tokens.
            InputError: A token that is neither text nor an `AddedToken`.
        """
        if not isinstance(special_tokens_dict, Mapping):
            given = type(special_tokens_dict).__name__
            raise ArgumentTypeError(
                three_beats(
                    f"add_special_tokens() was given a {given}",
                    "a dict from roles to tokens",
                    "Write {'additional_special_tokens': [...]} for tokens without a role.",
                )
            )
        added: list[Token] = []
        for role, value in special_tokens_dict.items():
            if role not in self.SPECIAL_TOKENS_ATTRIBUTES:
                near = closest(str(role), self.SPECIAL_TOKENS_ATTRIBUTES) or self.SPECIAL_TOKENS_ATTRIBUTES
                raise MisuseError(
                    three_beats(
                        f"{role!r} is not the role of a special token",
                        f"one of its roles, such as {', '.join(near[:3])}",
                        "Put tokens without a role into 'additional_special_tokens'.",
                    )
                )
            if role == EXTRA_TOKENS:
                tokens = [_special(token) for token in _token_list(role, value)]
                present = [] if replace_additional_special_tokens else list(self._special_tokens[role] or ())
                texts = {str(token) for token in present}
                tokens = [token for token in tokens if str(token) not in texts]
                self._special_tokens[role] = present + tokens
                added += tokens
            elif isinstance(value, (str, AddedToken)):
                token = _special(value)
                setattr(self, role, token)
                added.append(token)
            else:
                raise InputError(three_beats(f"{role}={value!r}", "a string or an AddedToken", "Correct the argument."))
        return self.add_tokens(added, special_tokens=True)

    def add_tokens(self, new_tokens: Token | Sequence[Token], special_tokens: bool = False) -> int:
        """Add tokens to the vocabulary; those that it has already are left out of the count.

        Args:
            new_tokens: One token or several. An `AddedToken` says how it is found in a text.
            special_tokens: Whether they are special: skipped when decoding, never split or lower-cased.

        Returns:
            How many tokens were added to the vocabulary; resize the model's embeddings by as many.

        Raises:
            ArgumentTypeError: Something that is neither text nor an `AddedToken`.
        """
        if new_tokens is None or new_tokens == "":
            return 0
        tokens: list[Any] = [new_tokens]
        if isinstance(new_tokens, Iterable) and not isinstance(new_tokens, str):
            tokens = list(new_tokens)
        if not tokens:
            return 0
        for token in tokens:
            if not isinstance(token, (str, AddedToken)):
                raise ArgumentTypeError(
                    three_beats(
                        f"a new token is {token!r} ({type(token).__name__})",
                        "strings or AddedTokens",
                        "Convert it to text first.",
                    )
                )
        with backend_errors("the tokens cannot be added", "Unicode text", "Remove lone surrogates."):
            return self._add_tokens(tokens, special_tokens=special_tokens)

    def sanitize_special_tokens(self) -> int:
        """Add every special token that the vocabulary lacks (an old name for doing just that)."""
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)

    # -- what the tokenizer provides -------------------------------------------------------------------------

    def _add_tokens(self, new_tokens: list[Token], special_tokens: bool = False) -> int:
        raise NotImplementedError

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token, or the ids of several."""
        raise NotImplementedError

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of several."""
        raise NotImplementedError


def _as_special(token: Token) -> Token:
    """A token with a role: a string stays one, an `AddedToken` is special whatever it said."""
    return token if isinstance(token, str) else described(token, special=True)


def _special(token: Token) -> Token:
    return described(token, special=True) if isinstance(token, str) else token


def _token_list(role: str, value: Any) -> list[Token]:
    if isinstance(value, (list, tuple)) and all(isinstance(token, (str, AddedToken)) for token in value):
        return list(value)
    raise MisuseError(
        three_beats(f"{role}={value!r}", "a list of strings or AddedTokens", "Write [...] around a single token.")
    )
