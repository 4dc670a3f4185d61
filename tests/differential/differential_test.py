#!/usr/bin/python3
"""Random rules and random events near them: the product and an independent evaluator of Sigma have
to agree on every pair. Prints TAP; a disagreement as a small rule and event.

    differential_test.py BUILD [--pairs N] [--seed S] [--batch B] [--corpus DIR]

--corpus proves the evaluator alone, first, against a corpus in the form of tests/corpus/README.md.
"""

import argparse
import json
import random
import sys
import tempfile
import time

import corpus_proof
from break_rules import spoil
from correlation_part import CorrelationPart
from generate_events import Events
from generate_rules import Maker
from product import Failed, Product, emit
from shrink import shrink
from sigma import Collection
from sigma_rule import Event
from sigma_values import Refused

SIZES = [(100, 1000)] * 6 + [(30, 3000), (400, 250)]  # rules and events of a batch, in turn
SPOILT = 0.04  # of the rules
LIMITS = ["automaton", "take too long"]  # refusals that are the product's own
TOLD = 5  # disagreements, before it gives up


def read(text):
    """(the rule, None) or (None, why it is refused)"""
    try:
        return Collection([text]).rules[0], None
    except Refused as refused:
        return None, str(refused)


class Test:
    """Counts pairs, and what disagrees."""

    def __init__(self, product):
        self.product = product
        self.pairs = 0
        self.matches = 0
        self.rules = 0
        self.refused = 0
        self.too_large = 0
        self.complaints = []

    def differs(self, rule, line):
        text = emit(rule)
        mine, _ = read(text)
        theirs = self.product.build([text])[0]
        if mine is None or theirs is not None:
            return False  # smaller, and another matter
        return mine.matches(Event(line)) != bool(self.product.match([line])[0])

    def complain(self, batch, rule, line):
        rule, line = shrink(rule, line, self.differs)
        mine, refusal = read(emit(rule))
        theirs = self.product.build([emit(rule)])[0]
        says = refusal or ("match" if mine.matches(Event(line)) else "no match")
        other = theirs or ("match" if self.product.match([line])[0] else "no match")
        self.complaints.append(
            f"batch {batch}\n{emit(rule)}{json.dumps(line)}\nevaluator: {says}\nproduct: {other}"
        )

    def compare_refusals(self, batch, rules, mine, theirs):
        for rule, (read_rule, why), refusal in zip(rules, mine, theirs):
            if refusal and any(words in refusal for words in LIMITS):
                self.too_large += 1
            elif (read_rule is None) != (refusal is not None) and len(self.complaints) < TOLD:
                self.complaints.append(f"batch {batch}\n{emit(rule)}evaluator: {why}\nproduct: {refusal}")

    def batch(self, number, seed):
        rng = random.Random(f"{seed}:{number}")
        maker = Maker(rng)
        rule_count, event_count = SIZES[number % len(SIZES)]
        rules = [maker.rule() for _ in range(rule_count)]
        for rule in rules:
            if rng.random() < SPOILT:
                spoil(rng, rule)
        texts = [emit(rule) for rule in rules]
        mine = [read(text) for text in texts]
        theirs = self.product.build(texts)
        self.compare_refusals(number, rules, mine, theirs)
        kept = [(r, m[0]) for r, m, t in zip(rules, mine, theirs) if m[0] and t is None]
        self.rules += len(kept)
        self.refused += rule_count - len(kept)
        events = Events(rng, maker)
        lines = [events.event() for _ in range(event_count)]
        self.compare(number, kept, lines)

    def compare(self, number, kept, lines):
        texts = [emit(document) for document, _ in kept]
        for line, found in zip(lines, self.product.decide(texts, lines)):
            event = Event(line)
            ids = set(found)
            self.pairs += len(kept)
            for document, rule in list(kept):
                holds = rule.matches(event)
                self.matches += holds
                if holds != (rule.id in ids):
                    self.complain(number, document, line)
                    kept.remove((document, rule))  # told once
                    if len(self.complaints) >= TOLD:
                        return

    def notes(self, seed, seconds):
        share = 100 * self.matches / max(self.pairs, 1)
        yield (
            f"seed {seed}: {self.pairs} pairs of {self.rules} rules, {share:.1f} % match, "
            f"{self.refused} rules refused by both, {seconds:.0f} s"
        )
        if self.too_large:
            # A few are fair: the worst rules are made here. Many would be rules that people write.
            yield f"{self.too_large} rules over one of the product's limits"


def options_of_the_command():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("build", help="a build folder")
    parse.add_argument("--pairs", type=int, default=2_000_000, help="rules times events")
    parse.add_argument("--seed", default="1")
    parse.add_argument("--batch", type=int, help="this one alone")
    parse.add_argument("--corpus", help="prove the evaluator against it first")
    return parse.parse_args()


def run(part, options):
    """Batches until there are pairs enough; returns the seconds."""
    began = time.monotonic()
    number = options.batch or 0
    try:
        while part.pairs < options.pairs and len(part.complaints) < TOLD:
            part.batch(number, options.seed)
            number += 1
            if options.batch is not None:
                break
    except Failed as failed:
        part.complaints.append(f"batch {number}: {failed}")
    return time.monotonic() - began


def main():
    options = options_of_the_command()
    results = []

    def tell(name, complaints, notes=()):
        results.append(not complaints)
        print(f"{'not ok' if complaints else 'ok'} {len(results)} - {name}")
        for words in [*notes, *complaints]:
            print("# " + words.rstrip("\n").replace("\n", "\n#   "), flush=True)

    if options.corpus:
        for what, count, wrong in corpus_proof.prove(options.corpus):
            tell(f"{what}: {count}", wrong[:TOLD])
    with tempfile.TemporaryDirectory() as folder:
        product = Product(options.build, folder)
        detection = Test(product)
        seconds = run(detection, options)
        tell("random rules and events: no disagreement", detection.complaints, detection.notes(options.seed, seconds))
        correlation = CorrelationPart(product)
        name = "random correlations and events: no disagreement"
        if correlation.can_run():
            # The state of a rule is what is tested, not many rules: a tenth is as much work.
            options.pairs //= 10
            seconds = run(correlation, options)
            tell(name, correlation.complaints, correlation.notes(options.seed, seconds))
        else:
            tell(name + " # SKIP content build compiles no correlation", [])
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
