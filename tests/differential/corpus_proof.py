"""Proves the independent evaluator against a corpus (tests/corpus/README.md gives its form), alone:
the product takes no part in it."""

import json
import pathlib

from sigma import Collection
from sigma_values import Refused


def read_lines(path):
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def prove_case(case):
    """What is wrong, or None."""
    try:
        rules = Collection(case["rules"])
    except Refused as refused:
        return None if case.get("reject") else f"{case['name']}: refused: {refused}"
    if case.get("reject"):
        return f"{case['name']}: accepted"
    for number, (line, expected) in enumerate(zip(case["events"], case["expected"]), 1):
        found = rules.feed(line)
        if found != sorted(expected):
            return f"{case['name']}: event {number}: {found}, not {expected}"
    return None


def prove_cases(corpus):
    cases = read_lines(corpus / "spec_cases.jsonl")
    wrong = [words for words in map(prove_case, cases) if words]
    return len(cases), wrong


def prove_events(folder):
    texts = [p.read_text(encoding="utf-8") for p in sorted((folder / "rules").rglob("*.yml"))]
    rules = Collection(texts)
    events = read_lines(folder / "events.jsonl")
    wrong = []
    for line, wanted in zip(events, read_lines(folder / "expected.jsonl"), strict=True):
        found = rules.feed(line)
        if found != wanted["rules"]:
            wrong.append(f"line {wanted['line']}: {found}, not {wanted['rules']}")
    return len(events), wrong


def prove(corpus):
    """(what, how many, complaints) for each part."""
    corpus = pathlib.Path(corpus)
    yield "the evaluator agrees with spec_cases.jsonl", *prove_cases(corpus)
    for folder in (corpus, corpus / "windows"):
        yield f"the evaluator agrees with the events of {folder.name}", *prove_events(folder)
