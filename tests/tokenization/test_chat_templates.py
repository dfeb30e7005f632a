"""Chat templates: what the recorded calls do not hold, and above all that no template can hang or fill the memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal, Optional, Union

import jinja2
import pytest

from tests.tokenization.hostile_templates import COSTLY, REFUSED
from triformers.files.errors import InputError, TriformersError
from triformers.tokenization.chat import budget, rendering
from triformers.tokenization.chat.errors import ChatTemplateCostError, ChatTemplateError
from triformers.tokenization.chat.rendering import render
from triformers.tokenization.chat.tools import schema_of

MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho ho"}]
TURNS = "{% for m in messages %}<{{ m.role }}> {{ m.content | trim }}\n{% endfor %}"


# -- bounds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", COSTLY, ids=range(len(COSTLY)))
def test_costly_templates_run_out_of_steps(monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    # With a hundredth of the steps, so that what is not counted would show as a test that takes long.
    monkeypatch.setattr(budget, "STEPS", budget.STEPS // 100)
    with pytest.raises(ChatTemplateCostError, match="expected a template that only lays out messages"):
        render(template, {"messages": MESSAGES})


@pytest.mark.parametrize("template", REFUSED, ids=range(len(REFUSED)))
def test_hostile_templates_are_refused(template: str) -> None:
    with pytest.raises(ChatTemplateError) as refusal:
        render(template, {"messages": MESSAGES})
    assert isinstance(refusal.value, (TriformersError, ValueError, jinja2.TemplateError))
    assert len(str(refusal.value)) < 400


SWEEP = """
import resource, sys
from tests.tokenization.hostile_templates import COSTLY, REFUSED
from triformers.tokenization.chat.errors import ChatTemplateError
from triformers.tokenization.chat.rendering import render
render("{{ messages }}", {"messages": []})
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for template in [*COSTLY, *REFUSED]:
    try:
        render(template, {"messages": [{"role": "user", "content": "hi"}]})
    except ChatTemplateError:
        continue
    sys.exit(template[:200])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)
"""


@pytest.mark.slow
def test_hostile_templates_with_all_steps() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SWEEP], cwd=root, capture_output=True, text=True, check=True, timeout=900
    )
    assert int(done.stdout) < 512 * 1024


def test_large_inputs_have_more_steps() -> None:
    words = "x" * 500_000
    many = [{"role": "user", "content": words}] * 20 + [{"role": "user", "content": f"{n}"} for n in range(20_000)]
    assert len(render(TURNS, {"messages": many}).text) > 20 * 500_000
    with pytest.raises(ChatTemplateCostError, match="characters"):
        render("{% for m in messages %}{{ m.content * 30 }}{% endfor %}", {"messages": many[:20]})


def test_the_parts_of_a_cycle_are_counted_once() -> None:
    message: dict[str, Any] = {"role": "user", "content": "hi"}
    message["self"] = message
    assert render(TURNS, {"messages": [message]}).text == "<user> hi\n"
    with pytest.raises(ChatTemplateCostError):
        render("{{ messages }}", {"messages": [message]})


def test_what_a_step_costs_does_not_depend_on_the_machine() -> None:
    def left(template: str) -> int:
        spent = budget.Budget({"messages": MESSAGES})
        token = budget.begin(spent)
        try:
            "".join(rendering._compiled(template).generate({"messages": MESSAGES}))
        finally:
            budget.end(token)
        return spent.room - spent.steps

    assert left(TURNS) == left(TURNS) < 200
    costs = [left("{{ ('a' * N) | upper | length }}".replace("N", str(size))) for size in (1600, 16000, 160000)]
    assert costs[1] - costs[0] < costs[2] - costs[1] < 12 * (costs[1] - costs[0])


def test_renderings_in_threads_have_budgets_of_their_own() -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        for _ in range(50):
            text = render(TURNS, {"messages": [{"role": "user", "content": str(number)}]}).text
            if text != f"<user> {number}\n":
                failures.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_template_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    plain = rendering.metered

    def counting(environment: Any, tree: Any) -> Any:
        seen.append("compiled")
        return plain(environment, tree)

    monkeypatch.setattr(rendering, "metered", counting)
    for _ in range(3):
        render("once {{ messages | length }}", {"messages": MESSAGES})
    assert len(seen) == 1


# -- failures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "builtin", "reason"),
    [
        ("{{ raise_exception('no system role') }}", jinja2.TemplateError, "refuses the messages: no system role"),
        ("{% if %}", jinja2.TemplateError, "line 1"),
        ("{{ a.b }}", jinja2.TemplateError, "'a' is undefined"),
        ("{{ 'a' + 1 }}", TypeError, "concatenate"),
        ("{{ 1 / 0 }}", ValueError, "division by zero"),
    ],
)
def test_failures_are_clear(fast_uncased: Any, template: str, builtin: type[Exception], reason: str) -> None:
    with pytest.raises(builtin, match=reason) as failure:
        fast_uncased.apply_chat_template(MESSAGES, chat_template=template)
    assert isinstance(failure.value, InputError) and "; expected " in str(failure.value)


@pytest.mark.parametrize("conversation", ["hello", {"role": "user"}, 3, None, []])
def test_what_is_no_conversation_is_refused(fast_uncased: Any, conversation: Any) -> None:
    with pytest.raises(InputError, match="the conversation is"):
        fast_uncased.apply_chat_template(conversation, chat_template=TURNS)


def test_no_template_and_too_many(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="no chat template"):
        tokenizer.apply_chat_template(MESSAGES)
    tokenizer.chat_template = {"a": "A", "b": "B"}
    with pytest.raises(ValueError, match="are a, b"):
        tokenizer.apply_chat_template(MESSAGES)
    tokenizer.chat_template = [{"name": "default", "template": "D"}]
    assert tokenizer.apply_chat_template(MESSAGES, tokenize=False) == "D"
    tokenizer.chat_template = {"default": 3}
    with pytest.raises(TypeError, match="chat_template is"):
        tokenizer.apply_chat_template(MESSAGES)


def test_conversations_as_objects(fast_uncased: Any) -> None:
    class Conversation:
        messages = MESSAGES

    text = "<user> hi\n<assistant> ho ho\n"
    choices = {"chat_template": TURNS, "tokenize": False}
    assert fast_uncased.apply_chat_template(Conversation(), **choices) == text
    assert fast_uncased.apply_chat_template([Conversation(), Conversation()], **choices) == [text] * 2


@pytest.mark.backend("torch", "tensorflow", "flax")
def test_tensors_of_a_framework(fast_uncased: Any, backend: str) -> None:
    from triformers.tokenization.tensors import library_of

    kind = {"torch": "pt", "tensorflow": "tf", "flax": "jax"}[backend]
    template = "{% for m in messages %}{{ m.role }} {% generation %}{{ m.content }}{% endgeneration %} {% endfor %}"
    choices = {"chat_template": template, "return_dict": True, "return_assistant_tokens_mask": True}
    plain = fast_uncased.apply_chat_template(MESSAGES, **choices)
    tensors = fast_uncased.apply_chat_template(MESSAGES, return_tensors=kind, **choices)
    assert list(tensors) == list(plain)
    for name, tensor in tensors.items():
        assert library_of(tensor) == kind
        assert tensor.shape == (1, len(plain[name])) and [int(value) for value in tensor[0]] == plain[name]


def test_jinja_is_imported_with_the_first_template(cased: Any) -> None:
    code = (
        "import sys, triformers\n"
        f"tokenizer = triformers.BertTokenizer.from_pretrained({str(cased.files['slow'])!r})\n"
        "assert 'jinja2' not in sys.modules\n"
        "tokenizer.apply_chat_template([{}], chat_template='a')\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- files ---------------------------------------------------------------------------------------------------


def test_templates_of_an_earlier_save_go(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = {"default": "D", "rag": "R", "tool_use": "T"}
    paths = tokenizer.save_pretrained(tmp_path)
    written = {Path(path).relative_to(tmp_path).as_posix() for path in paths}
    assert {"chat_template.jinja", "additional_chat_templates/rag.jinja"} <= written
    assert type(tokenizer).from_pretrained(tmp_path).chat_template == tokenizer.chat_template
    tokenizer.chat_template = {"default": "E", "rag": "R"}
    tokenizer.save_pretrained(tmp_path)
    assert type(tokenizer).from_pretrained(tmp_path).chat_template == tokenizer.chat_template
    assert type(tokenizer).from_pretrained(tmp_path, chat_template="own").chat_template == "own"


def test_templates_in_the_configuration(tokenizer: Any, tmp_path: Path) -> None:
    for templates in ("T", {"default": "D", "rag": "R"}):
        tokenizer.chat_template = templates
        tokenizer.save_pretrained(tmp_path / "x", save_jinja_files=False)
        assert not list((tmp_path / "x").glob("**/*.jinja"))
        assert type(tokenizer).from_pretrained(tmp_path / "x").chat_template == templates
    config: dict[str, Any] = {}
    assert tokenizer.save_chat_templates(tmp_path / "y", config, None, save_jinja_files=False) == (config, [])
    assert config["chat_template"][1] == {"name": "rag", "template": "R"}
    _, paths = tokenizer.save_chat_templates(tmp_path / "y", {}, "my", save_jinja_files=True)
    assert [Path(path).relative_to(tmp_path / "y").as_posix() for path in paths] == [
        "my-chat_template.jinja",
        "my-additional_chat_templates/rag.jinja",
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "", "x\0"])
def test_a_template_whose_name_cannot_be_a_files(tokenizer: Any, tmp_path: Path, name: str) -> None:
    tokenizer.chat_template = {"default": "D", name: "x"}
    with pytest.raises(InputError, match="a chat template is named"):
        tokenizer.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# -- tools ---------------------------------------------------------------------------------------------------


def weather(
    place: str,
    days: int = 3,
    unit: Literal["c"] | str = "c",
) -> None:
    """Not described."""


def forecast(
    place: str,
    hours: Optional[list[int]] = None,  # noqa: UP045 - both ways of writing it
    unit: str = "celsius",
    where: Union[int, dict[str, Any], None] = None,  # noqa: UP007
    box: tuple[float, float] = (0.0, 0.0),
) -> str | None:
    """What the weather will be.

    It may be wrong.

    Args:
        place: The city: "name, country"
        hours: From now on,
            in order
        unit: Of the temperature. (choices: ["celsius", "fahrenheit"])
        where: More of it

            and more
        box: Its corners

    Returns:
        The forecast.

    Raises:
        ValueError: Never.
    """


def test_a_function_as_a_tool(fast_uncased: Any) -> None:
    schema = schema_of(forecast)["function"]
    assert schema["name"] == "forecast"
    assert schema["description"] == "What the weather will be.\n\nIt may be wrong."
    assert schema["return"] == {"type": "string", "nullable": True, "description": "The forecast."}
    assert schema["parameters"] == {
        "type": "object",
        "properties": {
            "place": {"type": "string", "description": 'The city: "name, country"'},
            "hours": {
                "type": "array",
                "items": {"type": "integer"},
                "nullable": True,
                "description": "From now on, in order",
            },
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "Of the temperature."},
            "where": {"type": ["integer", "object"], "nullable": True, "description": "More of it and more"},
            "box": {
                "type": "array",
                "prefixItems": [{"type": "number"}, {"type": "number"}],
                "description": "Its corners",
            },
        },
        "required": ["place"],
    }
    text = fast_uncased.apply_chat_template(
        MESSAGES, tools=[forecast, {"own": 1}], chat_template="{{ tools | tojson }}", tokenize=False
    )
    assert text.startswith('[{"type": "function", "function": {"name": "forecast"') and text.endswith(', {"own": 1}]')


class Robot:
    """Something with a tool."""

    def move(self, steps: int) -> bool:
        """Moves.

        Args:
            steps: How far
        """
        return steps > 0


def test_a_method_as_a_tool() -> None:
    schema = schema_of(Robot().move)["function"]
    assert list(schema["parameters"]["properties"]) == ["steps"] and schema["return"] == {"type": "boolean"}


def undocumented(x: int) -> None: ...


def without_hints(x):
    """Has none.

    Args:
        x: It
    """


def with_bad_choices(x: int) -> None:
    """Has them.

    Args:
        x: It (choices: [a])
    """


@pytest.mark.parametrize("tool", [weather, undocumented, without_hints, with_bad_choices, lambda: 1, 3, "text", print])
def test_what_is_no_tool_is_refused(fast_uncased: Any, tool: Any) -> None:
    with pytest.raises(ValueError, match="; expected "):
        fast_uncased.apply_chat_template(MESSAGES, tools=[tool], chat_template="{{ tools }}")
