"""Pickles that no state dict of tensors is, each by what is wrong with it."""

from __future__ import annotations

import pickle

from tests.hostile.pickled_files import GOOD, called, items, rebuilt, state, stored, text, value, whole, word

EVIL = {
    ("os", "system"): ("touch executed",),
    ("posix", "system"): ("touch executed",),
    ("nt", "system"): ("touch executed",),
    ("subprocess", "Popen"): (("touch", "executed"),),
    ("builtins", "eval"): ("open('executed', 'w')",),
    ("builtins", "exec"): ("open('executed', 'w')",),
    ("__builtin__", "eval"): ("open('executed', 'w')",),
    ("builtins", "getattr"): ("a", "b"),
    ("builtins", "open"): ("executed", "w"),
    ("builtins", "__import__"): ("antigravity",),
    ("runpy", "run_path"): ("executed",),
    ("operator", "attrgetter"): ("system",),
    ("functools", "partial"): (1,),
    ("torch", "load"): ("x",),
    ("torch.storage", "_load_from_bytes"): (b"\x80\2.",),
    ("torch.serialization", "load"): ("x",),
    ("torch.hub", "load"): ("x",),
    ("torch._utils", "_rebuild_tensor_v2.__globals__"): (),
    ("torch._utils", "_rebuild_sparse_tensor"): (),
    ("torch", "QInt8Storage"): (),
    ("torch", "ComplexHalfStorage"): (),
    ("numpy.core.multiarray", "_reconstruct"): (),
    ("numpy", "dtype"): ("O",),
    ("collections", "defaultdict"): (),
    ("argparse", "Namespace"): (),
    ("__main__", "Model"): (),
    ("triformers", "BertModel"): (),
}
MANY = 10**6
CYCLE = pickle.EMPTY_DICT + pickle.BINPUT + b"\0" + text("self") + pickle.BINGET + b"\0" + pickle.SETITEM
TWINS = pickle.EMPTY_TUPLE + b"".join(
    pickle.BINPUT + bytes([index]) + pickle.BINGET + bytes([index]) + pickle.TUPLE2 for index in range(100)
)
#: Pickles that no state dict is, each by what is wrong with it.
BAD_PICKLES = {
    **{
        f"{module}.{name}": state(x=called(module, name, *map(value, arguments)))
        for (module, name), arguments in EVIL.items()
    },
    "a name by STACK_GLOBAL": whole(text("os") + text("system") + pickle.STACK_GLOBAL),
    "a name by numbers": whole(pickle.NONE + pickle.NONE + pickle.STACK_GLOBAL),
    "INST": whole(pickle.MARK + text("touch executed") + b"ios\nsystem\n"),
    "OBJ": whole(pickle.MARK + word("collections", "OrderedDict") + b"o"),
    "NEWOBJ": whole(word("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.NEWOBJ),
    "EXT1": whole(b"\x82\1"),
    "PERSID": whole(b"Pstorage\n"),
    "LONG4": whole(b"\x8b" + (2**31 - 1).to_bytes(4, "little")),
    "a number in digits": whole(b"I" + b"9" * 100_000 + b"\n"),
    "BUILD of a tensor": state(x=rebuilt() + items({"a": value(1)}) + pickle.BUILD),
    "BUILD of a name": whole(word("torch", "Size") + items({"build": value(1)}) + pickle.BUILD),
    "a call of a number": whole(value(7) + pickle.EMPTY_TUPLE + pickle.REDUCE),
    "a call of a class of storages": whole(called("torch", "FloatStorage", 10**12)),
    "a call with a list": whole(word("torch", "Size") + pickle.EMPTY_LIST + pickle.REDUCE),
    "empty": b"",
    "STOP alone": whole(b""),
    "no STOP": GOOD[:-1],
    "two values": whole(value(1) + value(2)),
    "an open mark": whole(pickle.MARK + pickle.EMPTY_DICT),
    "an endless string": whole(pickle.BINUNICODE + b"\xff\xff\xff\xff"),
    "an endless string of eight bytes": whole(pickle.BINUNICODE8 + b"\xff" * 8),
    "an endless frame": b"\x80\4\x95" + b"\xff" * 8,
    "an endless name": whole(pickle.GLOBAL + b"a" * 100_000),
    "a string that is not UTF-8": state(x=pickle.BINUNICODE + b"\1\0\0\0\xff"),
    "GET of an unknown value": whole(pickle.BINGET + b"\7"),
    "LONG_BINGET of an unknown value": whole(pickle.LONG_BINGET + b"\xff" * 4),
    "PUT of nothing": whole(pickle.BINPUT + b"\0"),
    "LONG_BINPUT far away": whole(b"".join([pickle.NONE] + [pickle.LONG_BINPUT + b"\xff" * 4] * 1000)),
    "underflow of REDUCE": whole(pickle.REDUCE),
    "underflow of TUPLE3": whole(pickle.NONE + pickle.TUPLE3),
    "underflow below a mark of TUPLE2": whole(pickle.NONE + pickle.NONE + pickle.MARK + pickle.TUPLE2),
    "underflow below a mark of SETITEM": whole(
        pickle.EMPTY_DICT + pickle.MARK + text("x") + rebuilt() + pickle.SETITEM + pickle.SETITEMS
    ),
    "underflow of SETITEM": whole(pickle.EMPTY_DICT + pickle.NONE + pickle.SETITEM),
    "TUPLE without a mark": whole(pickle.TUPLE),
    "APPEND to a dictionary": whole(pickle.EMPTY_DICT + pickle.NONE + pickle.APPEND),
    "SETITEM of a list": whole(pickle.EMPTY_LIST + pickle.NONE + pickle.NONE + pickle.SETITEM),
    "a key without a value": whole(pickle.EMPTY_DICT + pickle.MARK + text("x") + pickle.SETITEMS),
    "a key twice": whole(pickle.EMPTY_DICT + pickle.MARK + (text("x") + rebuilt()) * 2 + pickle.SETITEMS),
    "a key that hashes for ever": whole(pickle.EMPTY_DICT + TWINS + pickle.NONE + pickle.SETITEM),
    "a key that is a list": whole(pickle.EMPTY_DICT + pickle.EMPTY_LIST + pickle.NONE + pickle.SETITEM),
    "tuples in tuples": state(x=pickle.EMPTY_TUPLE + pickle.TUPLE1 * 790_000),
    "lists in lists": state(x=pickle.EMPTY_LIST * 399_000 + pickle.APPEND * 398_999),
    "dictionaries in a heap": whole(pickle.EMPTY_DICT * MANY),
    "dictionaries with items": whole((pickle.EMPTY_DICT + value(1) + value(1) + pickle.SETITEM) * 190_000),
    "calls in a heap": whole(
        word("collections", "OrderedDict") + b"q\0)q\1" + b"h\0h\1R" * 260_000
    ),
    "tensors in a heap": whole(
        word("torch._utils", "_rebuild_tensor") + b"q\0" + value((stored(), 0, (), ())) + b"q\1" + b"h\0h\1R" * 260_000
    ),
    "tensors of many axes in a heap": whole(
        word("torch._utils", "_rebuild_tensor") + b"q\0" + value((stored(), 0, (1,) * 32, (2**62,) * 32))
        + b"q\1" + b"h\0h\1R" * 260_000
    ),
    "storages in a heap": whole(
        value(("storage", word("torch", "FloatStorage"), "0", "cpu", 6)) + b"q\0" + b"h\0Q" * 399_000
    ),
    "marks in a heap": whole(pickle.MARK * MANY),
    "a memo of a million": whole(
        pickle.NONE + b"".join(pickle.LONG_BINPUT + index.to_bytes(4, "little") for index in range(MANY))
    ),
    "more instructions than are followed": whole(pickle.NONE * 2_000_000),
    "a dictionary in itself": whole(CYCLE),
    "a dictionary in itself beside a tensor": whole(CYCLE + text("x") + rebuilt() + pickle.SETITEM),
    # what else pickle can do
    "EXT2": whole(b"\x83\1\0"),
    "EXT4": whole(b"\x84\1\0\0\0"),
    "a call of an extension": whole(b"\x82\1" + value(("touch executed",)) + pickle.REDUCE),
    "NEWOBJ_EX": whole(word("os", "system") + pickle.EMPTY_TUPLE + pickle.EMPTY_DICT + b"\x92"),
    "NEWOBJ_EX of a known word": whole(word("collections", "OrderedDict") + b")}\x92"),
    "DUP of a call": whole(word("os", "system") + b"2" + value(("touch executed",)) + pickle.REDUCE),
    "POP of a call": whole(called("os", "system", "touch executed") + b"0" + pickle.EMPTY_DICT),
    "POP_MARK of a call": whole(pickle.MARK + called("os", "system", "touch executed") + b"1" + pickle.EMPTY_DICT),
    "a set of calls": whole(b"\x8f" + pickle.MARK + called("os", "system", "touch executed") + b"\x90"),
    "a frozen set": whole(pickle.MARK + called("os", "system", "touch executed") + b"\x91"),
    "BYTEARRAY8 of a terabyte": whole(b"\x96" + (2**40).to_bytes(8, "little")),
    "NEXT_BUFFER": whole(b"\x97\x98"),
    "BINBYTES8 of a terabyte": whole(b"\x8e" + (2**40).to_bytes(8, "little")),
    "BUILD that sets attributes": whole(
        called("collections", "OrderedDict") + items({"__reduce__": word("os", "system")}) + pickle.BUILD
    ),
    "BUILD with slots": whole(
        word("torch", "Tensor") + value((items({}), items({"data": word("os", "system")}))) + pickle.BUILD
    ),
    "a call of what a call gives": whole(
        called("builtins", "getattr", word("os", "path"), "join") + value(("a",)) + pickle.REDUCE
    ),
    "a call in a key": whole(pickle.EMPTY_DICT + called("os", "system", "touch executed") + rebuilt() + pickle.SETITEM),
    "a call in a shape": state(x=rebuilt(None, 0, value((called("os", "system", "touch executed"), 3)))),
    "a call in hooks": state(x=rebuilt(None, 0, (2, 3), (3, 1), False, called("os", "system", "touch executed"))),
    "a call in a storage": state(x=rebuilt(stored(called("os", "system", "touch executed")))),
    "a word of two dots": whole(b"\x8c\x02os\x8c\x0bpath.system\x93" + value(("touch executed",)) + pickle.REDUCE),
    "a word with a space": whole(pickle.GLOBAL + b"os \nsystem\n"),
    "a word in other letters": whole(pickle.GLOBAL + b"\xef\xbd\x8f\xef\xbd\x93\nsystem\n"),
    "a word that is half a pair": whole(pickle.BINUNICODE + b"\3\0\0\0\xed\xa0\x80" + text("x") + pickle.STACK_GLOBAL),
    "a name that is half a pair": whole(
        pickle.EMPTY_DICT + pickle.BINUNICODE + b"\3\0\0\0\xed\xa0\x80" + rebuilt() + pickle.SETITEM
    ),
    "a pickle in a pickle": state(x=called("pickle", "loads", whole(called("os", "system", "touch executed")))),
    "a tensor that is loaded": state(
        x=called("torch.storage", "_load_from_bytes", pickle.BINBYTES + b"\4\0\0\0PK\3\4")
    ),
    "tensors that fill a terabyte": whole(
        items({f"x{index}": rebuilt(None, 0, (2**22,), (0,)) for index in range(100)})
    ),
    # what no state dict is
    "a number": whole(value(7)),
    "a tensor alone": whole(rebuilt()),
    "a list of tensors": whole(pickle.EMPTY_LIST + rebuilt() + pickle.APPEND),
    "numbers alone": state(epoch=value(3)),
    "an optimizer": state(state=items({0: items({"step": rebuilt()})}), param_groups=pickle.EMPTY_LIST),
    "two state dicts": state(model=items({"x": rebuilt()}), state_dict=items({"x": rebuilt()})),
    "a state dict two levels down": state(model=items({"state_dict": items({"x": rebuilt()})})),
    "a dictionary among tensors": state(x=rebuilt(), y=items({"z": rebuilt()})),
    "a number for a name": whole(items({7: rebuilt()})),
    "a call of OrderedDict with items": whole(called("collections", "OrderedDict", (("a", 1),))),
    # what no tensor is
    "a tensor of nothing": state(x=called("torch._utils", "_rebuild_tensor_v2")),
    "a tensor of numbers": state(x=called("torch._utils", "_rebuild_tensor_v2", 1, 2, 3, 4, 5, 6)),
    "a parameter of a number": state(x=called("torch._utils", "_rebuild_parameter", 1, False, 0)),
    "a conjugated tensor": state(x=rebuilt(None, 0, (2,), (1,), False, 0, items({"conj": value(True)}))),
    "a tensor of type_v2 in itself": state(
        x=called(
            "torch._tensor", "_rebuild_from_type_v2", word("torch._tensor", "_rebuild_from_type_v2"),
            word("torch", "Tensor"),
            (
                word("torch._utils", "_rebuild_tensor_v2"), word("torch", "Tensor"),
                (stored(), 0, (2, 3), (3, 1), False, items({})), items({}),
            ),
            items({}),
        )
    ),
    "a tensor of no type": state(
        x=called("torch._utils", "_rebuild_tensor_v3", stored("0", 24, "UntypedStorage"), 0, (2,), (1,), 0, 0, 7)
    ),
    "a negative offset": state(x=rebuilt(None, -1)),
    "an offset of truth": state(x=rebuilt(None, True, (3,), (1,))),
    "negative sizes": state(x=rebuilt(None, 0, (-2, -3))),
    "negative strides": state(x=rebuilt(None, 5, (2, 3), (-3, -1))),
    "a size of truth": state(x=rebuilt(None, 0, (True, 3))),
    "sizes that are a string": state(x=rebuilt(None, 0, "23")),
    "fewer strides than sizes": state(x=rebuilt(None, 0, (2, 3), (1,))),
    "more axes than an array has": state(x=rebuilt(None, 0, (1,) * 65, (1,) * 65)),
    "a size beyond 64 bits": state(x=rebuilt(None, 0, (2**64,), (0,))),
    "a size of 255 bytes": state(x=rebuilt(None, 0, (2**2000,), (1,))),
    "sizes whose product wraps": state(x=rebuilt(None, 0, (2**32, 2**32), (0, 0))),
    "sizes whose product has thousands of digits": state(x=rebuilt(None, 0, (2**62,) * 32, (0,) * 32)),
    "nothing of an impossible shape": state(x=rebuilt(None, 0, (0, 2**40, 2**40), (0, 0, 0))),
    "an expanded tensor of a terabyte": state(x=rebuilt(None, 0, (10**12,), (0,))),
    "an expanded tensor of 64 megabytes": state(x=rebuilt(None, 0, (2**24,), (0,))),
    "one element too many": state(x=rebuilt(None, 0, (7,), (1,))),
    "an offset too far": state(x=rebuilt(None, 1)),
    "an empty tensor too far": state(x=rebuilt(None, 7, (0,), (1,))),
    "a stride too long": state(x=rebuilt(None, 0, (2, 3), (4, 1))),
    "a stride beyond 64 bits": state(x=rebuilt(None, 0, (2,), (2**63,))),
    "a stride whose bytes wrap": state(x=rebuilt(None, 0, (2,), (2**62,))),
    "a storage of a negative size": state(x=rebuilt(stored("0", -6))),
    "a storage of a fraction": state(x=rebuilt(stored("0", 6.0))),
    "a storage larger than its record": state(x=rebuilt(stored("0", 7))),
    "a storage smaller than its record": state(x=rebuilt(stored("0", 5))),
    "a storage wider than its record": state(x=rebuilt(stored("0", 6, "DoubleStorage"))),
    "a storage without a record": state(x=rebuilt(stored("1"))),
    "a storage outside its folder": state(x=rebuilt(stored("../byteorder", 6, "ByteStorage"))),
    "a storage of no class": state(x=rebuilt(value(("storage", "FloatStorage", "0", "cpu", 6)) + pickle.BINPERSID)),
    "a storage by a type": state(
        x=rebuilt(value(("storage", word("torch", "float32"), "0", "cpu", 6)) + pickle.BINPERSID)
    ),
    "a storage that is a module": state(x=value(("module", "a", "b", "c", "d")) + pickle.BINPERSID),
    "a storage that is a string": state(x=value("storage") + pickle.BINPERSID),
    "a part beyond its storage": state(x=rebuilt(stored("0", 6, "FloatStorage", ("1", 4, 3)), 0, (3,), (1,))),
    "a part that is a number": state(x=rebuilt(stored("0", 6, "FloatStorage", 7))),
}  # fmt: skip
