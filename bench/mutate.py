#!/usr/bin/python3
"""Many rules out of few: N distinct, realistic Sigma rules made from the rules of some folders.

    bench/mutate.py N OUT FOLDER... [--category C] [--any-source] [--seed S]

The first ones are the originals. Of the others each is a rule with some of its words replaced by words
of the same kind and length that other rules use, digits by digits, the same word in a rule by the same
other one. What several rules look for (`\\\\powershell.exe`) stays as it is nearly always, so that rules
share as much as before; kinds, lists, selections and conditions stay too. Deterministic.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import uuid

import yaml

KEPT = ["title", "description", "author", "level", "status", "tags", "logsource", "detection"]
WORD = re.compile(r"[A-Za-z]{3,}|[0-9]{2,}")
# In an expression a letter after a backslash is no letter, and digits in braces are counts.
REGEX_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
POPULAR = 3  # rules that share a value
STAYS = 0.9  # … which then stays so often
CHANGED = 0.8  # of the other values
FILE_RULES = 500  # a file may have 8 MiB


def read_rules(folders, category):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rules = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.yml")):
            for rule in yaml.load_all(path.read_text(encoding="utf-8"), loader):
                if not isinstance(rule, dict) or "detection" not in rule:
                    continue
                if category in (None, rule["logsource"].get("category")):
                    rules.append({k: rule[k] for k in KEPT if k in rule})
    return rules


def texts_of(value, key=""):
    """(the key it stands under, text) of everything that a rule looks for."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "condition":
                yield from texts_of(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, key)
    elif isinstance(value, str):
        yield key, value


def shape(word):
    """Words of one kind: digits or letters, upper, lower or mixed, of about the same length."""
    kind = "9" if word.isdigit() else "A" if word.isupper() else "a" if word.islower() else "Aa"
    return kind, len(word) if len(word) < 8 else len(word) // 3


class Mutator:
    def __init__(self, rules, seed):
        self.rng = random.Random(seed)
        self.rules = self.rng.sample(rules, len(rules))  # so that few are like all
        used = collections.Counter()
        words = collections.defaultdict(set)
        for rule in rules:
            for key, text in set(texts_of(rule["detection"])):
                used[key, text] += 1
                for word in WORD.findall(text):
                    words[shape(word)].add(word)
        self.popular = {pair for pair, count in used.items() if count >= POPULAR}
        self.words = {kind: sorted(found) for kind, found in words.items()}

    def word(self, match, chosen):
        word = match[0]
        if word not in chosen:
            if word.isdigit():
                chosen[word] = "".join(self.rng.choice("0123456789") for _ in word)
            else:
                chosen[word] = self.rng.choice(self.words.get(shape(word), [word]))
        return chosen[word]

    def text(self, key, text, chosen):
        modifiers = key.split("|")[1:]
        if {"cidr", "fieldref"} & set(modifiers):
            return text
        stays = STAYS if (key, text) in self.popular else 1 - CHANGED
        if self.rng.random() < stays:
            return text
        pattern = REGEX_WORD if "re" in modifiers else WORD
        return pattern.sub(lambda match: self.word(match, chosen), text)

    def value(self, value, key, chosen):
        if isinstance(value, dict):
            return {k: v if k == "condition" else self.value(v, str(k), chosen) for k, v in value.items()}
        if isinstance(value, list):
            # Two values may become one: lists keep their length, and `all` its two.
            return [self.value(v, key, chosen) for v in value]
        if isinstance(value, str):
            return self.text(key, value, chosen)
        return value

    def make(self, count):
        seen = set()
        made = 0
        while made < count:
            rule = dict(self.rules[made % len(self.rules)])
            if made >= len(self.rules):
                rule["detection"] = self.value(rule["detection"], "", {})
            body = json.dumps(rule["detection"], sort_keys=True)
            if body in seen and made >= len(self.rules) and self.rng.random() < 0.99:
                rule = None  # nothing changed: again
            seen.add(body)
            if rule is not None:
                yield rule | {"id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4))}
                made += 1


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("count", type=int)
    parse.add_argument("out", type=pathlib.Path, help="a folder, which is made")
    parse.add_argument("folders", nargs="+")
    parse.add_argument("--category", help="only rules of this one")
    parse.add_argument("--any-source", action="store_true", help="the category alone, no product")
    parse.add_argument("--seed", default="1")
    options = parse.parse_args()
    rules = read_rules(options.folders, options.category)
    options.out.mkdir(parents=True)
    texts = []
    for rule in Mutator(rules, options.seed).make(options.count):
        if options.any_source and "category" in rule["logsource"]:
            rule["logsource"] = {"category": rule["logsource"]["category"]}
        texts.append("---\n" + json.dumps(rule, ensure_ascii=False, default=str) + "\n")
    for at in range(0, len(texts), FILE_RULES):
        path = options.out / f"{at // FILE_RULES}.yml"
        path.write_text("".join(texts[at : at + FILE_RULES]), encoding="utf-8")


if __name__ == "__main__":
    main()
