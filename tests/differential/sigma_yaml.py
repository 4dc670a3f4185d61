"""YAML as Sigma rules are written: 1.2, core schema, no duplicate keys.

PyYAML's own parser in Python on purpose: its fast one is libyaml, which the compiler uses too.
"""

import re

import yaml


class Loader(yaml.SafeLoader):
    """PyYAML resolves as YAML 1.1 does; these are the words and numbers of 1.2."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, (str, int, float, bool, type(None))):
                raise yaml.YAMLError("a key is a word")
            if name in seen:
                raise yaml.YAMLError(f"the key {name} stands twice")
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


RESOLVERS = [
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)", "-+.0123456789"),
]
for tag, pattern, first in RESOLVERS:
    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:" + tag,
        re.compile(f"(?:{pattern})\\Z"),
        ["" if c == "\0" else c for c in first],
    )


def integer(loader, node):
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)


Loader.add_constructor("tag:yaml.org,2002:int", integer)


def documents(text):
    """Every document of a file that is not empty; YAMLError where it is none."""
    try:
        return [d for d in yaml.load_all(text, Loader) if d is not None]
    except (ValueError, TypeError, AttributeError) as wrong:
        raise yaml.YAMLError(str(wrong)) from wrong
