"""A pickle, read as data: a machine for those instructions that a file of tensors needs, and no others.

A pickle is a program for a stack machine (the instructions: Python's `pickletools`; the protocols: PEP 307, PEP 3154).
Python's own `Unpickler` is not used, even narrowed by `find_class`. It imports and calls by design, so that every
safe word must be kept safe from all that REDUCE, BUILD and NEWOBJ do to it. And it trusts the numbers it reads:
LONG_BINPUT of four bytes makes its memo as long as they say, which is gigabytes; a tuple of twins as a key of a
dictionary hashes for ever. Here a word is looked up in a table and is one of our own objects, an instruction costs
memory in proportion to itself, and both are counted.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from triformers.conversion.formats.pickled.refusals import Refusal, quoted

#: The longest pickle read. One tensor takes 100 to 200 bytes of it, so this is a hundred thousand of them.
MAX_BYTES = 16 * 2**20
#: The most instructions followed. One tensor takes about 33, so this is 24 thousand of them; each instruction can
#: make a dictionary of 64 bytes, so this is also what bounds memory and time.
MAX_INSTRUCTIONS = 800_000
#: The most calls and persistent ids followed, of which a tensor needs three: what one costs is not in its bytes, for
#: its arguments can be those of the last.
MAX_CALLS = 80_000
#: The longest `module` or `name` of a word.
MAX_WORD = 256

_NUMBERS = {pickle.BININT: "<i", pickle.BININT1: "<B", pickle.BININT2: "<H", pickle.BINFLOAT: ">d"}
_CONSTANTS = {pickle.NONE: None, pickle.NEWTRUE: True, pickle.NEWFALSE: False, pickle.EMPTY_TUPLE: ()}
#: Instructions with a length and then as many bytes: how wide the length is, and what the bytes are. The last two
#: are the strings of Python 2, which early checkpoints were written with.
_TEXTS = {
    pickle.BINUNICODE: (4, True), pickle.SHORT_BINUNICODE: (1, True), pickle.BINUNICODE8: (8, True),
    pickle.BINBYTES: (4, False), pickle.SHORT_BINBYTES: (1, False),
    pickle.BINSTRING: (4, True), pickle.SHORT_BINSTRING: (1, True),
}  # fmt: skip


@dataclass(frozen=True)
class Constructor:
    """A word of the table that may be called.

    Attributes:
        name: The word.
        build: Gives the value for a tuple of arguments, all of which it checks; raises nothing but `Refusal`.
    """

    name: str
    build: Callable[[tuple[Any, ...]], Any]


class Machine:
    """Follows one pickle to its end.

    Args:
        data: The bytes, from the pickle's first; what follows its end is left alone.
        words: Everything that a pickle may name, by `module.name`.
        persistent: What a persistent id stands for; raises nothing but `Refusal`.

    Attributes:
        position: The byte after the last one read.
    """

    def __init__(self, data: bytes, words: Mapping[str, Any], persistent: Callable[[Any], Any] | None = None) -> None:
        self.position = 0
        self._data = data
        self._words = words
        self._persistent = persistent
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._calls = 0
        self._instructions = self._table()

    def run(self) -> Any:
        """The value that the pickle describes.

        Raises:
            Refusal: It is cut short or malformed, it exceeds a bound, or it names what no file of tensors needs.
        """
        instructions, stop = self._instructions, pickle.STOP[0]
        for _ in range(MAX_INSTRUCTIONS):
            if self.position >= len(self._data):
                break
            opcode = self._data[self.position]
            self.position += 1
            if opcode == stop:
                return self._result()
            instruction = instructions.get(opcode)
            if instruction is None:
                where = f"at byte {self.position - 1} of its pickle"
                raise Refusal(f"has the instruction {bytes([opcode])!r} {where}", "those that describe tensors")
            instruction()
        self._take(1)  # which refuses, if the end of the bytes was what ended the loop
        raise Refusal(f"has a pickle of more than {MAX_INSTRUCTIONS} instructions", "a checkpoint in smaller parts")

    def _table(self) -> dict[int, Callable[[], None]]:
        """What each instruction does."""
        table: dict[bytes, Callable[[], None]] = {
            pickle.PROTO: partial(self._skip, 1),
            pickle.FRAME: partial(self._skip, 8),  # only says how much to read at once, and all is read
            pickle.MARK: lambda: self._marks.append(len(self._stack)),
            pickle.EMPTY_DICT: lambda: self._stack.append({}),
            pickle.EMPTY_LIST: lambda: self._stack.append([]),
            pickle.LONG1: self._long,
            pickle.TUPLE: lambda: self._stack.append(tuple(self._pop_to_mark())),
            pickle.TUPLE1: partial(self._tuple, 1),
            pickle.TUPLE2: partial(self._tuple, 2),
            pickle.TUPLE3: partial(self._tuple, 3),
            pickle.APPEND: lambda: self._extend([self._pop()]),
            pickle.APPENDS: lambda: self._extend(self._pop_to_mark()),
            pickle.SETITEM: self._set_item,
            pickle.SETITEMS: lambda: self._update(self._pop_to_mark()),
            pickle.BINGET: lambda: self._recall(self._natural(1)),
            pickle.LONG_BINGET: lambda: self._recall(self._natural(4)),
            pickle.BINPUT: lambda: self._remember(self._natural(1)),
            pickle.LONG_BINPUT: lambda: self._remember(self._natural(4)),
            pickle.MEMOIZE: lambda: self._remember(len(self._memo)),
            pickle.GLOBAL: self._global,
            pickle.STACK_GLOBAL: self._stack_global,
            pickle.REDUCE: self._reduce,
            pickle.BUILD: self._build,
            pickle.BINPERSID: self._persistent_id,
        }
        table |= {opcode: partial(self._number, struct.Struct(form)) for opcode, form in _NUMBERS.items()}
        table |= {opcode: partial(self._push, value) for opcode, value in _CONSTANTS.items()}
        table |= {opcode: partial(self._text, width, is_text) for opcode, (width, is_text) in _TEXTS.items()}
        return {opcode[0]: instruction for opcode, instruction in table.items()}

    # ---- reading bytes --------------------------------------------------------------------------------------

    def _take(self, size: int) -> bytes:
        start, self.position = self.position, self.position + size
        if self.position > len(self._data):
            raise Refusal("has a pickle that is cut short", f"a whole one of at most {MAX_BYTES} bytes")
        return self._data[start : self.position]

    def _natural(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _skip(self, size: int) -> None:
        self._take(size)

    def _line(self) -> str:
        end = self._data.find(b"\n", self.position, self.position + MAX_WORD + 1)
        if end < 0:
            raise Refusal(f"names something in more than {MAX_WORD} letters", "words such as torch.FloatStorage")
        line = self._take(end - self.position)
        self._skip(1)
        return _decoded(line)

    # ---- values ---------------------------------------------------------------------------------------------

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _number(self, form: struct.Struct) -> None:
        self._stack.append(form.unpack(self._take(form.size))[0])

    def _long(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._natural(1)), "little", signed=True))

    def _text(self, width: int, is_text: bool) -> None:
        data = self._take(self._natural(width))
        self._stack.append(_decoded(data) if is_text else data)

    def _tuple(self, size: int) -> None:
        start = len(self._stack) - size
        if start < (self._marks[-1] if self._marks else 0):
            raise self._too_few()
        self._stack[start:] = [tuple(self._stack[start:])]

    def _extend(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not list:
            raise Refusal(f"appends to a {type(target).__name__} in its pickle", "a list")
        target.extend(items)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def _update(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not dict or len(items) % 2:
            raise Refusal(f"sets items of a {type(target).__name__} in its pickle", "a dictionary, by key and value")
        for index in range(0, len(items), 2):
            key, value = items[index], items[index + 1]
            if type(key) not in (str, int):  # what a tuple holds can take for ever to hash
                raise Refusal(f"has a key that is a {type(key).__name__}", "keys that are strings or whole numbers")
            if key in target:
                raise Refusal(f"gives the key {quoted(str(key))} twice", "every key of a dictionary once")
            target[key] = value

    # ---- the stack and the memo -----------------------------------------------------------------------------

    def _top(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise self._too_few()
        return self._stack[-1]

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise self._too_few()
        return self._stack.pop()

    def _too_few(self) -> Refusal:
        return Refusal(f"takes from an empty stack at byte {self.position} of its pickle", "a value there")

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise Refusal(f"ends a group at byte {self.position} of its pickle", "the mark that begins it")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _result(self) -> Any:
        if len(self._stack) != 1 or self._marks:
            raise Refusal(f"leaves {len(self._stack)} values when its pickle stops", "exactly one")
        return self._stack.pop()

    def _remember(self, index: int) -> None:
        self._memo[index] = self._top()

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            raise Refusal(f"recalls value {index}, which its pickle never kept", "one that it did")
        self._stack.append(self._memo[index])

    # ---- words ----------------------------------------------------------------------------------------------

    def _global(self) -> None:
        module = self._line()
        self._word(module, self._line())

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise Refusal("names something by what is no string", "words such as torch.FloatStorage")
        self._word(module, name)

    def _word(self, module: str, name: str) -> None:
        word = f"{module}.{name}"
        if word not in self._words:
            raise Refusal(f"names {quoted(word)}, which is never run or imported", "a file of tensors alone")
        self._stack.append(self._words[word])

    def _count_call(self) -> None:
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise Refusal(f"has a pickle of more than {MAX_CALLS} calls", "a checkpoint in smaller parts")

    def _reduce(self) -> None:
        self._count_call()
        arguments, function = self._pop(), self._pop()
        if type(function) is not Constructor or type(arguments) is not tuple:
            raise Refusal(f"calls a {type(function).__name__} in its pickle", "a call that rebuilds a tensor")
        self._stack.append(function.build(arguments))

    def _build(self) -> None:
        self._pop()  # the attributes of a state dict: versions of modules, which no tensor needs
        if type(self._top()) is not dict:
            raise Refusal(f"sets attributes of a {type(self._top()).__name__}", "those of a state dict")

    def _persistent_id(self) -> None:
        self._count_call()
        if self._persistent is None:
            raise Refusal("names a storage where none can be", "numbers and strings alone")
        self._stack.append(self._persistent(self._pop()))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(f"holds the string {data[:40]!r}, which is not UTF-8", "text in UTF-8") from None
