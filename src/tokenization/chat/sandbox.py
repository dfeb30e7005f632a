"""The environment that chat templates run in: Jinja's immutable sandbox, where each step pays before it is made.

A template is taken as its syntax tree. What Jinja compiles to plain Python (comparisons, slices, `~`, the keys of
dicts) becomes a call of this environment, and the body of each loop, macro and block begins with one that pays for its
nodes. Filters, tests, operators and calls pass through the environment anyway.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from itertools import chain
from types import ModuleType
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.visitor import NodeTransformer

from ...files.errors import three_beats
from .budget import CHARACTERS, Paying, current, is_iterator, spend, weigh
from .costs import FILTERS, METHODS, TESTS, Cost, compared, each, free, operated, printed, whole, widths
from .errors import ChatTemplateError

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


#: The steps of a call, and of a macro's, which makes and joins a list.
_CALL, _MACRO = 5, 50
#: Arguments that Jinja adds to calls inside loops and blocks.
_JINJAS_OWN = frozenset({"_loop_vars", "_block_vars"})


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """Jinja as chat templates expect it, on the budget of the rendering that runs."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", AssistantSpans],
            finalize=_payed,
        )
        self.code_generator_class = _Compiler
        self.concat = _concatenate  # type: ignore[assignment]
        self.filters = {name: _paid(self.filters[name], cost) for name, cost in FILTERS.items()}
        self.filters["tojson"] = tojson
        self.tests = {name: _paid(self.tests[name], cost) for name, cost in TESTS.items()}
        self.globals["raise_exception"] = raise_exception
        self.globals["strftime_now"] = strftime_now
        self.globals["lipsum"] = _paid(self.globals["lipsum"], _of_lipsum)
        self.formatter = _PayingFormatter(self)

    # -- what templates do through the environment -----------------------------------------------------------

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Call something, if the sandbox lets it be called and there is enough left for it."""
        named = {name: value for name, value in kwargs.items() if name not in _JINJAS_OWN} if kwargs else kwargs
        spend(_MACRO if isinstance(function, Macro) else _of_call(function, args, named))
        result = super().call(context, function, *args, **kwargs)
        return Paying(result, args) if is_iterator(result) else result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Apply an arithmetic operator."""
        spend(operated(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A part of a value, by its key."""
        return super().getitem(obj, self.hashable(argument) if type(argument) is tuple else argument)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The method `format` of a text, whose fields pay for themselves."""
        text, name = getattr(value, "__self__", None), getattr(value, "__name__", None)
        if not isinstance(text, str) or name not in ("format", "format_map"):
            return None

        def fill_in(*args: Any, **kwargs: Any) -> str:
            values = (args[0] if args else {}) if name == "format_map" else kwargs
            return self.formatter.vformat(text, () if name == "format_map" else args, values)

        return fill_in

    # -- what the tree is rewritten to -----------------------------------------------------------------------

    spend = staticmethod(spend)

    @staticmethod
    def compare(name: str, left: Any, right: Any) -> Any:
        """Two values compared."""
        spend(compared(name, left, right))
        return _COMPARISONS[name](left, right)

    @staticmethod
    def join(*values: Any) -> str:
        """Values as one text."""
        spend(sum(map(printed, values)))
        return "".join(map(str, values))

    @staticmethod
    def cut(value: Any, start: Any, stop: Any, step: Any) -> Any:
        """A slice of a sequence."""
        spend(whole(value) if isinstance(value, str) else each(value))
        return value[start:stop:step]

    @staticmethod
    def hashable(value: Any) -> Any:
        """A key, whose hash has to be worked out."""
        spend(weigh(value))
        return value

    def refuse(self, what: str) -> NoReturn:
        """Refuse what a chat template has no use for."""
        raise SecurityError(f"{what} is not available to chat templates")


def _payed(value: Any) -> Any:
    """A value that is about to be printed."""
    spend(printed(value))
    return value


def _concatenate(pieces: Any) -> str:
    """The text of a macro or block."""
    pieces = list(pieces)
    spend(len(pieces) + sum(map(len, pieces)) // CHARACTERS)
    return "".join(pieces)


def _paid(function: Callable[..., Any], cost: Cost) -> Callable[..., Any]:
    """A filter, test or function that pays before it runs, and as its answer is read."""
    skip = 1 if hasattr(function, "jinja_pass_arg") else 0  # the environment, which Jinja hands over first

    @wraps(function)
    def pay(*args: Any, **kwargs: Any) -> Any:
        if cost is not free:  # what looks at no data goes on doing so
            args = tuple(list(arg) if is_iterator(arg) else arg for arg in args)
        spend(cost(*args[skip:], **kwargs))
        result = function(*args, **kwargs)
        return Paying(result, args) if is_iterator(result) else result

    return pay


def _of_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """What a call costs. A method of a built-in type that is not on the list is not available."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if owner is None or isinstance(owner, (ModuleType, ChatEnvironment)):
        return _CALL + whole(*args, **kwargs)
    methods = METHODS.get(type(owner)) or next((METHODS[kind] for kind in (str, dict) if isinstance(owner, kind)), {})
    if name in methods:
        return _CALL + methods[name](owner, *args, **kwargs)
    if owner is dict and name == "fromkeys":
        return _CALL + each(*args[:1]) + whole(*args)
    if (owner if isinstance(owner, type) else type(owner)).__module__ == "builtins":
        raise SecurityError(f"the method {name} of {type(owner).__name__} is not available to chat templates")
    return _CALL + whole(*args, **kwargs)  # of a class of the caller's


def _of_lipsum(n: int = 5, html: bool = True, min: int = 20, max: int = 100) -> int:
    return n * max * 16


class _PayingFormatter(SandboxedFormatter):
    """`str.format` in the sandbox, where each field pays for its width and its value."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        spend(printed(value) + widths(format_spec) // CHARACTERS)
        return super().format_field(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        spend(16 * weigh(value))
        return super().convert_field(value, conversion)


# -- what 4.x adds to the language ---------------------------------------------------------------------------


def raise_exception(message: str) -> NoReturn:
    """The way in which a template refuses a conversation."""
    raise TemplateError(message)


def strftime_now(format: str) -> str:
    """The date and time of today."""
    spend(whole(format) * CHARACTERS)
    return datetime.now().strftime(format)


def tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """A value as JSON, letters as themselves (Jinja's own filter escapes what HTML does not take)."""
    spend(printed([value]) * (1 + whole(separators)))
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    if indent is None:
        return encoder.encode(value)
    spend(indent * CHARACTERS if isinstance(indent, int) else whole(indent) * CHARACTERS**2)
    return "".join(piece for piece in encoder.iterencode(value) if spend(1 + len(piece) // CHARACTERS))


class AssistantSpans(Extension):
    """The block `{% generation %}`: it marks what the assistant said, for `return_assistant_tokens_mask`."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        """The block as a call with its body."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("mark"), [], [], body).set_lineno(line)

    def mark(self, caller: Callable[[], str]) -> str:
        """Note where the text of the block is going to stand."""
        text, budget = caller(), current()
        if budget.pieces or budget.spans:  # 4.53.3 passes over a block that nothing stands before
            budget.spans.append((budget.written, budget.written + len(text)))
        return text


# -- the tree ------------------------------------------------------------------------------------------------

#: Deeper trees are refused: they would be followed by recursion, here and in the interpreter's own compiler.
_DEEPEST = 400
#: Larger ones take seconds to compile.
_LARGEST = 16_000


def metered(environment: ChatEnvironment, tree: nodes.Template) -> nodes.Template:
    """The tree of a template with its steps paid for.

    Raises:
        ChatTemplateError: It is too deep, or too large.
    """
    layer, depth, count = [tree], 0, 0
    while layer:
        depth, count = depth + 1, count + len(layer)
        if depth > _DEEPEST or count > _LARGEST:
            found = f"the chat template has {count} nodes, {depth} deep"
            raise ChatTemplateError(three_beats(found, f"at most {_LARGEST}, {_DEEPEST} deep", "Simplify it."))
        layer = list(chain.from_iterable(node.iter_child_nodes() for node in layer))
    metered = _Metering().visit(tree)
    return metered.set_environment(environment)


def _step(name: str, line: int, *args: nodes.Expr) -> nodes.Call:
    """A call of the environment."""
    return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None, lineno=line)


def _price(node: nodes.Node) -> nodes.Const:
    """How many nodes there are in another."""
    return nodes.Const(1 + sum(1 for _ in node.find_all(nodes.Node)), lineno=node.lineno)


class _Metering(NodeTransformer):
    """Puts calls of the environment in the places of what Jinja compiles to plain Python."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.test is not None:
            node.test = nodes.And(_step("spend", node.lineno, _price(node.test)), node.test, lineno=node.lineno)
        return self._with_a_price(node)

    def _with_a_price(self, node: Any) -> nodes.Node:
        price = _price(node)
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_step("spend", node.lineno, price), lineno=node.lineno))
        return node

    visit_Macro = visit_CallBlock = visit_Block = _with_a_price

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        left, found = node.expr, None
        for operand in node.ops:
            step = _step("compare", node.lineno, nodes.Const(operand.op), left, operand.expr)
            found = step if found is None else nodes.And(found, step, lineno=node.lineno)
            left = operand.expr
        return found or node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _step("join", node.lineno, *node.nodes)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        ends = (node.arg.start, node.arg.stop, node.arg.step)
        return _step("cut", node.lineno, node.node, *(end or nodes.Const(None) for end in ends))

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.key, nodes.Const):
            node.key = _step("hashable", node.lineno, node.key)
        return node


class _Compiler(CodeGenerator):
    """Calls of the environment straight, not through the sandbox's own `call`."""

    def visit_Call(self, node: nodes.Call, frame: Any, forward_caller: bool = False) -> None:
        if not isinstance(node.node, nodes.EnvironmentAttribute):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.write(f"environment.{node.node.name}(")
        for arg in node.args:
            self.visit(arg, frame)
            self.write(", ")
        self.write(")")
