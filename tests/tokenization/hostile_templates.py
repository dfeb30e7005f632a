"""Chat templates that would hang or fill the memory, if nothing stopped them: each takes another way."""

from __future__ import annotations

#: A value that is small in memory and endless in print: each part holds the one before it twice.
SHARED = "{%% set ns = namespace(x=%s) %%}{%% for i in range(100) %%}{%% set ns.x = %s %%}{%% endfor %%}{{ %s }}"
LISTS = ("[1]", "[ns.x, ns.x]")
TUPLES = ("(1,)", "(ns.x, ns.x)")
DICTS = ("{'a': 1}", "{'a': ns.x, 'b': ns.x}")
TWICE = (
    "{%% set ns = namespace(x=%s) %%}{%% for i in range(100) %%}{%% set ns.x = %s %%}{%% endfor %%}{{ ns.x | length }}"
)
AGAIN = "{%% set s = %s %%}{%% for i in range(99999) %%}{%% set t = %s %%}{%% endfor %%}"

#: A value nested so deep that following it by recursion would overflow the stack.
DEEP = (
    "{%% set ns = namespace(x=()) %%}{%% for i in range(99999) %%}{%% set ns.x = ((ns.x,),) %%}{%% endfor %%}{{ %s }}"
)

LOOPS = [
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "{% for a in range(99999) %}" + "y" * 10000 + "{% endfor %}",
    "{% set x %}{% for a in range(99999) %}" + "y" * 10000 + "{% endfor %}{% endset %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f() %}{{ caller() }}{{ caller() }}{% endmacro %}" + "{% call f() %}" * 30 + "x" + "{% endcall %}" * 30,
    "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = ns.x | map('upper') %}{% endfor %}",
    "{% for i in range(99999) %}{% set c = cycler(*range(99999)) %}{% endfor %}",
    "{% for i in range(99999) %}{{ messages | tojson(indent=4) }}{% endfor %}",
    "{% for i in range(99999) %}{% for j in (['a'] * 9999) | batch(3) %}{% endfor %}{% endfor %}",
    "{% autoescape true %}{% for i in range(99999) %}{{ '<' * 10000 }}{% endfor %}{% endautoescape %}",
]

LONG_TEXTS = [
    "{{ 'a' * 10 ** 10 }}",
    "{{ 10 ** 9 * 'ab' }}",
    "{{ ('a' * 10000).replace('a', 'b' * 100000) }}",
    "{{ ('a' * 10000) | replace('', 'b' * 100000) }}",
    "{{ ('x' * 1000000).join(['a'] * 1000) }}",
    "{{ (['a'] * 1000) | join('x' * 1000000) }}",
    "{{ ('a' * 10000).translate({97: 'x' * 100000}) }}",
    "{{ 'a' | center(10 ** 9) }}",
    "{{ 'a'.center(10 ** 9) }}",
    "{{ 'a'.ljust(10 ** 9) }}",
    "{{ 'a'.zfill(10 ** 9) }}",
    "{{ '\t'.expandtabs(10 ** 9) }}",
    "{{ ('a\n' * 1000) | indent(10 ** 8) }}",
    "{{ 'a\n' * 1000 | indent(10 ** 9) }}",
    "{{ ('a\n' * 100000) | indent('x' * 1000) }}",
    "{{ ('a ' * 100000) | wordwrap(1, true, 'x' * 1000) }}",
    "{{ ('&' * 1000000) | e | forceescape | forceescape | forceescape | forceescape }}",
    "{{ lipsum(n=10 ** 6) }}",
    "{{ lipsum(n=1, min=10 ** 8, max=10 ** 9) }}",
    "{{ 'x'.encode() * 10 ** 10 }}",
    "{{ strftime_now('%Y' * 10000000) }}",
    "{% set x = 'a' * 1000000 %}{% macro f(a=x * 1000) %}{% endmacro %}{{ f() }}",
    "{% generation %}{{ 'x' * 10 ** 10 }}{% endgeneration %}",
    TWICE % ("'a'", "ns.x ~ ns.x"),
    TWICE % ("'a'", "ns.x + ns.x"),
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% set l = ['a' * 100000] * 50000 %}{{ l }}",
    "{% set l = ['a' * 100000] * 50000 %}{{ l | map('upper') | join }}",
]

WIDE_FORMATS = [
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10 ** 9, 1) }}",
    "{{ '%.1000000000f' % 1.0 }}",
    "{{ '%.*f' % (10 ** 9, 1.0) }}",
    "{{ '%1000000000s' | format('a') }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=10 ** 9) }}",
    "{{ '{a:>1000000000}'.format_map({'a': 1}) }}",
    "{{ ('{:1000000000}' | attr('format'))(1) }}",
    "{{ ('{0}' * 100000).format('x' * 10000) }}",
    "{{ ('%(a)s' * 100000) % {'a': 'x' * 100000} }}",
    "{{ 'x%1000000000d' is odd }}",
    "{{ '%1000000000d' is divisibleby 3 }}",
    "{{ 'x' | round(9, 'ceil') }}",
    "{{ [1] | tojson(indent=10 ** 9) }}",
    "{{ [[[[[1]]]]] | tojson(indent='x' * 10 ** 6) }}",
    "{{ range(1000) | list | tojson(separators=('x' * 100000, ':')) }}",
]

LONG_LISTS = [
    "{{ ([0] * 10 ** 9) | length }}",
    "{{ 10 ** 9 * (1,) }}",
    "{{ [1] | batch(10 ** 9, 'x') | list }}",
    "{{ [1] | slice(10 ** 9, 'x') | list }}",
    "{{ ([range(99999) | list] * 300) | sum(start=[]) | length }}",
    "{{ (',' * 90000000).split(',') | length }}",
    "{{ ('\n' * 90000000).splitlines() | length }}",
    "{{ (messages * 1000000) | tojson }}",
    TWICE % ("[1]", "ns.x + ns.x"),
    AGAIN % ("range(99999) | list", "s[1:]"),
    AGAIN % ("range(99999) | list", "s | sort"),
    AGAIN % ("range(99999) | list", "s | max"),
    AGAIN % ("range(99999) | list", "-1 in s"),
    AGAIN % ("range(99999) | list", "s.index(99998)"),
    AGAIN % ("range(99999)", "'a' in s"),
    AGAIN % ("range(99999)", "s.count('a')"),
    AGAIN % ("'abc'", "dict.fromkeys(range(99999), 0)"),
]

LARGE_NUMBERS = [
    "{{ (10 ** 10) ** (10 ** 10) }}",
    "{{ 1.5 | round(10 ** 9, 'ceil') }}",
    "{{ 5 | round(-10 ** 9) }}",
    "{{ ('f' * 1000000) | int(0, 16) }}",
    "{% set ns = namespace(x=3) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=2) %}{% for i in range(100) %}{% set ns.x = ns.x ** ns.x %}{% endfor %}{{ ns.x }}",
]

ENDLESS_PARTS = [
    *(SHARED % (*LISTS, use) for use in ("ns.x", "ns", "ns.x == [ns.x]", "ns.x is eq [ns.x]", "ns.x in [[ns.x]]")),
    *(SHARED % (*TUPLES, use) for use in ("{ns.x: 1}", "{}[ns.x]", "ns.x in {}", "ns.x is filter", "{}.get(ns.x)")),
    *(SHARED % (*TUPLES, f"[ns.x, ns.x] | {name}") for name in ("unique | list", "sort", "tojson", "string", "pprint")),
    *(SHARED % (*TUPLES, f"{text}.format(ns.x)") for text in ("'{}'", "'{!r}'", "'{:1}'")),
    *(SHARED % (*TUPLES, use) for use in ("ns.x ~ 'a'", "'%s' % (ns.x,)", "ns.x | e", "[ns.x] | join")),
    *(SHARED % (*TUPLES, use) for use in ("raise_exception(ns.x)", "range(ns.x)")),
    *(SHARED % (*DICTS, use) for use in ("ns.x", "ns.x.items()", "ns.x.values() | list", "ns.x | tojson")),
    (SHARED % (*TUPLES, "''")) + "{% for i in [1, 2] %}{{ loop.changed(ns.x) }}{% endfor %}",
]

SLOW_SEARCHES = [
    "{% set s = 'a' * 1000000 %}{{ s.rfind('b' + 'a' * 500000) }}",
    "{% set s = 'a' * 1000000 %}{{ s.rsplit('b' + 'a' * 500000) }}",
    "{{ ('<!---->' * 100000) | striptags }}",
    "{{ ('http://a' * 50000) | urlize }}",
    "{{ ('a' * 1000000) | wordwrap(1) }}",
    AGAIN % ("'a' * 20000", "('a' * 99 + 'b') in s"),
    AGAIN % ("'a' * 2400", "s.find('a' * 1200 + 'b')"),
    AGAIN % ("'a' * 2400", "s.replace('b' + 'a' * 1200, '')"),
    AGAIN % ("'a' * 1000000", "s.strip(s)"),
    AGAIN % ("'a' * 1000000", "s.upper()"),
    AGAIN % ("'a' * 1000000", "s[1:]"),
    AGAIN % ("'a' * 100000", "s == 'a' * 99999 ~ 'b'"),
]

#: These end for want of steps, or of room in the answer.
COSTLY = [*LOOPS, *LONG_TEXTS, *WIDE_FORMATS, *LONG_LISTS, *LARGE_NUMBERS, *ENDLESS_PARTS, *SLOW_SEARCHES]

#: These are refused for what they are, or for how they are written.
REFUSED = [
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "{{ 0x" + "f" * 200000 + " % 0x" + "f" * 50000 + " }}",
    "{{ 0x" + "f" * 200000 + " is divisibleby 0x" + "f" * 50000 + " }}",
    "{% for i in range(10 ** 9) %}{% endfor %}",
    "{{ 'a'.encode('idna') }}",
    "{{ ('\u00e9' * 100000).encode('punycode') }}",
    "{{ (1).to_bytes(10 ** 9, 'big') }}",
    "{{ (0).from_bytes('x'.encode(), 'big') }}",
    "{{ (range(9) | map('upper')).send(1) }}",
    "{{ 'a'.__mul__(10 ** 10) }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({}) }}",
    "{{ '{0.__class__}'.format(1).x.y }}",
    "{{ ''.__class__.__mro__ }}",
    "{% include 'x' %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "+".join(["1"] * 20000) + " }}",
    "{{ " + "not " * 5000 + "1 }}",
    "{{ a" + ".b" * 20000 + " }}",
    "{{ a" + " | e" * 20000 + " }}",
    "{{ " + "9" * 10000 + " }}",
    "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "{% if a %}" + "{% elif a %}" * 20000 + "{% endif %}",
    "{{ a }}" * 30000,
    "{# " * 50000,
    "{%- " * 60000,
    "{{ '" + "\\" * 100000,
    "a" * 2**18 + "a",
    *(DEEP % use for use in ("ns.x", "ns.x == (ns.x,)", "{ns.x: 1}", "{}[ns.x]", "ns.x in {}", "ns.x is filter")),
    *(DEEP % use for use in ("{}.get(ns.x)", "dict.fromkeys(ns.x)", "dict([(ns.x, 1)])", "ns.x | tojson")),
    "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = [1] | map('default', ns.x) %}{% endfor %}",
    "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = namespace(y=ns.x) %}{% endfor %}{{ ns }}",
]
