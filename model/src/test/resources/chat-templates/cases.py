"""Renders the templates below with Jinja 3.1 as transformers sets it up, into cases.json.

usage: python cases.py > cases.json        (needs jinja2)
"""
import json
import sys
from datetime import datetime

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = lambda f: datetime(2024, 7, 5, 15, 4, 9).strftime(f)

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 2 + 3? \n"},
        {"role": "assistant", "content": "Five", "tool_calls": [
            {"function": {"name": "add", "arguments": {"a": 2, "b": 3.5, "ok": True, "no": None}}}]},
        {"role": "user", "content": "Thanks, 'friend' \"dear\" <b> & é 漢 \\ \t"},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}],
    "words": ["pear", "Apple", "fig", "apple"], "numbers": [3, -1, 2.5, 10], "empty": [], "text": "  Hello, wörld  ",
    "nothing": None, "yes": True, "pairs": {"b": 1, "a": [1, {"c": "d"}]}, "add_generation_prompt": True,
}
TEMPLATES = [
    "{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}</>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
    "{%- for m in messages -%}\n  {{ loop.index }}/{{ loop.length }} {{ loop.first }} {{ loop.last }} {{ loop.revindex0 }}\n{%- endfor -%}\n end\n",
    "a\n  {% if yes %}\n    b\n  {% endif %}\nc\n",
    "a\n  {%+ if yes %}\n    b\n  {%+ endif +%}\nc\n\n",
    "{# a comment #}\nx {#- another -#} y\n  {# third #}\nz",
    "{% raw %}{{ not }} {% this %}{% endraw %}!",
    "{% set ns = namespace(found=false, n=0) %}{% for w in words %}{% if w == 'fig' %}{% set ns.found = true %}{% endif %}{% set ns.n = ns.n + loop.index %}{% endfor %}{{ ns.found }} {{ ns.n }}",
    "{% set x = 1 %}{% for w in words %}{% set x = 2 %}{% endfor %}{{ x }}",
    "{% set a, b = 1, 'two' %}{{ a }}{{ b }}{% set block %}  in {{ b }} {% endset %}[{{ block }}]{% set up | upper %}low{% endset %}{{ up }}",
    "{% macro tag(name, body='-', end=true) %}<{{ name }}>{{ body }}{% if end %}</{{ name }}>{% endif %}{% endmacro %}{{ tag('a') }}{{ tag('b', 'c') }}{{ tag('d', end=false) }}",
    "{% macro box() %}[{{ caller() }}]{% endmacro %}{% call box() %}in{% endcall %}",
    "{% for k, v in pairs.items() %}{{ k }}={{ v }};{% endfor %}{% for k in pairs %}{{ k }}{% endfor %}{% for k, v in pairs | dictsort %}{{ k }}{% endfor %}",
    "{% for n in numbers if n > 0 %}{{ n }},{% else %}none{% endfor %}{% for n in empty %}x{% else %}none{% endfor %}",
    "{% for n in range(10) %}{% if n == 2 %}{% continue %}{% endif %}{% if n > 4 %}{% break %}{% endif %}{{ n }}{% endfor %}",
    "{% for w in words %}{{ loop.previtem }}<{{ w }}>{{ loop.nextitem }}{{ loop.cycle('a', 'b') }} {% endfor %}",
    "{{ words[::-1] }} {{ words[1:3] }} {{ words[-1] }} {{ words[:2] }} {{ text[2:7] }} {{ words[3:0:-2] }} {{ words[9:] }}",
    "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 + 3 * 4 - 1 }} {{ 1.5 + 1 }} {{ 6 / 2 }}",
    "{{ 1e20 }} {{ 0.1 + 0.2 }} {{ 1.0 }} {{ 1e-7 }} {{ 123456789012345680.0 }} {{ -0.5 }} {{ 1_000 }}",
    "{{ 'a' ~ 1 ~ none ~ true ~ 2.0 ~ [1, 'x'] }} {{ 'ab' * 3 }} {{ 'a' 'b' }} {{ [1] + [2] }}",
    "{{ not yes or 1 == 1.0 and 'a' in 'cat' }} {{ 1 < 2 < 3 }} {{ 3 not in numbers }} {{ yes == 1 }} {{ none == false }} {{ 2 if nothing else 3 }}",
    "{{ nothing }} {{ yes }} {{ missing }} [{{ missing is defined }}] {{ nothing is none }} {{ messages[0].foo is undefined }} {{ 'x' if false }}",
    "{{ pairs }} {{ words }} {{ [none, true, 1.0, 'it''s'] }} {{ ['a\\'b', \"c\\\"d'\"] }} {{ messages[3].content }}",
    "{{ pairs | tojson }} {{ pairs | tojson(indent=2) }} {{ messages[2].tool_calls | tojson }} {{ pairs | tojson(sort_keys=true, separators=(',', ':')) }} {{ 'é漢' | tojson(ensure_ascii=true) }} {{ [] | tojson(indent=1) }}",
    "{{ messages[3].content | tojson }} {{ messages[3].content | e }}",
    "{{ text | trim | upper }}|{{ text | lower }}|{{ 'hello wORLD x' | title }}|{{ 'hELLO' | capitalize }}|{{ words | join(', ') }}|{{ words | length }}|{{ text | length }}",
    "{{ missing | default('d') }} {{ '' | default('d') }} {{ '' | default('d', true) }} {{ missing | d }} {{ nothing | default('x', boolean=true) }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | map('trim') | list }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | list | length }} {{ messages | map(attribute='tool_calls', default='-') | list | length }}",
    "{{ numbers | select('gt', 2) | list }} {{ numbers | reject('odd') | list if false else 'no' }} {{ words | unique | list }} {{ words | sort }} {{ numbers | sort(reverse=true) }} {{ numbers | max }} {{ numbers | min }} {{ numbers | sum }}",
    "{{ words | first }} {{ words | last }} {{ words | reverse | list }} {{ 'abc' | reverse }} {{ '3.7' | int }} {{ 'x' | int(5) }} {{ '2' | float }} {{ -3 | abs }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 'abc' | list }}",
    "{{ 'a\nb\n\nc' | indent(2) }}|{{ 'a\nb' | indent(3, true) }}|{{ 'a\n\nb' | indent(2, blank=true) }}|{{ 'a-b' | replace('-', '+') }}",
    "{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'a,b,c'.split(',') }}|{{ ' a  b '.split() }}|{{ 'a,b,c'.split(',', 1) }}|{{ 'a,b,c'.rsplit(',', 1)[-1] }}|{{ 'a</think>b'.split('</think>')[-1] }}",
    "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'abc'.replace('b', 'BB') }} {{ 'abc'.find('c') }} {{ 'a'.upper() }} {{ 'x'.join(['1', '2']) }} {{ '12'.isdigit() }} {{ 'ab cd'.title() }} {{ 'ab'.zfill(5) }} {{ 'abab'.count('ab') }}",
    "{{ pairs.get('a') }} {{ pairs.get('z') }} {{ pairs.get('z', 1) }} {{ pairs.keys() | list }} {{ pairs.values() | list }} {{ pairs['b'] }} {{ pairs.a[1].c }} {{ 'a' in pairs }}",
    "{{ 1 is number }} {{ 'a' is string }} {{ pairs is mapping }} {{ words is iterable }} {{ words is sequence }} {{ yes is boolean }} {{ 4 is divisibleby 2 }} {{ 3 is odd }} {{ 4 is even }} {{ 1 is not none }} {{ 2 is eq 2 }} {{ yes is true }} {{ 1.5 is float }} {{ 1 is integer }} {{ pairs is string or yes }}",
    "{% generation %}said{% endgeneration %}{% filter upper %}loud {{ text | trim }}{% endfilter %}{% with a=1, b='x' %}{{ a }}{{ b }}{% endwith %}",
    "{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %B %A %j %y') }}",
    "{% if words[0] == 'x' %}a{% elif words | length > 3 %}b{% else %}c{% endif %}{% if empty %}d{% elif nothing %}e{% else %}f{% endif %}",
    "{{ {'a': 1, 'b': [1, 2]}['b'][1] }} {{ dict(x=1) }} {{ (1, 2)[0] }} {{ [] }} {{ {} }} {{ [1, 2,] }}",
    "{{ '\\n\\t\\x41\\u00e9' }} {{ \"a\\\nb\" }} {{ '%s is %d%%' % ('it', 5) }}",
    "{% for a in words %}{% for b in numbers %}{{ loop.index }}{% endfor %}{{ loop.index0 }} {% endfor %}",
    "{% set x = [] %}{% for m in messages %}{% set x = x + [m.role] %}{% endfor %}{{ x }}",
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}{% endif %}{{ system }}:{{ rest | length }}",
    # errors
    "{{ raise_exception('roles must alternate') }}",
    "{{ missing.attribute }}",
    "{{ missing() }}",
    "{{ 1 + 'a' }}",
    "{{ words | nosuchfilter }}",
    "{{ 1 is nosuchtest }}",
    "{% nosuchtag %}",
    "{{ words.append(1) }}",
    "{% if yes %}",
    "{{ 'unclosed }}",
    "{{ 1 +",
    "{{ 1 / 0 }}",
    "{% for x in 5 %}{% endfor %}",
    "{{ range(10000000) | list }}",
]
cases = []
for template in TEMPLATES:
    try:
        cases.append({"template": template, "expected": environment.from_string(template).render(**VARIABLES)})
    except Exception as e:
        cases.append({"template": template, "error": type(e).__name__})
json.dump({"variables": VARIABLES, "cases": cases}, sys.stdout, ensure_ascii=False, indent=1)
print()
