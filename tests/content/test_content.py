#!/usr/bin/env python3
"""Proves the detection content with the real `bulkhead` binary and prints TAP.

Every rule compiles; each test event in content/tests fires its rule, or does not, as it says; no
rule of level medium or above fires on an ordinary hour; the table in content/README.md is right.

    test_content.py BULKHEAD         run the tests
    test_content.py --write-table    write the table of rules into content/README.md
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import Tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTENT = ROOT / "content"
ORDINARY = pathlib.Path(__file__).with_name("ordinary.jsonl")
ORDINARY_MIN = 300
QUIET_LEVELS = {"informational", "low"}
LEVELS = ["informational", "low", "medium", "high", "critical"]
TABLE_BEGIN = "<!-- rules: written by tests/content/test_content.py --write-table -->\n"
TABLE_END = "<!-- end of rules -->\n"
# A command that hangs is a failure, not a reason to wait: the whole content builds in seconds.
COMMAND_SECONDS = 120


def read_rules():
    """The top-level scalars of each rule. A YAML parser is not in the standard library, and the
    compiler is what checks the YAML; this reads only lines of the form `key: value`."""
    rules = []
    for path in sorted((CONTENT / "rules").glob("*/*.yml")):
        text = path.read_text(encoding="utf-8")
        rule = dict(re.findall(r"^(title|id|status|author|date|level): (.+)$", text, re.M))
        rule["category"] = re.search(r"^    category: (\w+)$", text, re.M)[1]
        rule["tags"] = re.findall(r"^    - (attack\.\S+)$", text, re.M)
        rule["path"] = path
        rules.append(rule)
    return rules


def read_lines(path):
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_cases(rules):
    """Every test event, with the file it stands in."""
    cases = []
    for rule in rules:
        path = CONTENT / "tests" / (rule["path"].stem + ".jsonl")
        if path.exists():
            cases += [case | {"file": path.name} for case in read_lines(path)]
    return cases


def run(*command):
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=COMMAND_SECONDS, check=False
    )


def build(bulkhead, pack):
    """Complaints of the compiler about the shipped rules."""
    done = run(bulkhead, "content", "build", CONTENT / "rules", "-o", pack, "--report", "json")
    try:
        report = json.loads(done.stdout)["rules"]
    except (ValueError, KeyError):
        return [f"no report, exit code {done.returncode}: {done.stderr.strip()}"]
    refused = [rule for rule in report if rule["status"] != "ok"]
    complaints = [f"{r['file']}:{r.get('line')}: {r.get('class')}: {r.get('reason')}" for r in refused]
    if not complaints and done.returncode != 0:
        complaints.append(f"exit code {done.returncode}: {done.stderr.strip()}")
    return complaints


def match(bulkhead, pack, events, folder):
    """For each event the ids of the rules that fired."""
    recording = folder / "events.jsonl"
    recording.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    done = run(bulkhead, "content", "match", pack, "--events", recording, "--format", "json")
    if done.returncode != 0:
        raise SystemExit(f"Bail out! content match: {done.stderr.strip()}")
    fired = [set() for _ in events]
    for line in done.stdout.splitlines():
        found = json.loads(line)
        fired[found["line"] - 1].add(found["rule"])
    return fired


def check_metadata(rules):
    complaints = []
    seen = set()
    for rule in rules:
        name = f"{rule['path'].parent.name}/{rule['path'].name}"
        missing = {"title", "id", "status", "author", "date", "level"} - rule.keys()
        if missing:
            complaints.append(f"{name}: {', '.join(sorted(missing))} missing")
            continue
        if uuid.UUID(rule["id"]).version != 4 or rule["id"] in seen:
            complaints.append(f"{name}: the id has to be a random UUID of its own")
        seen.add(rule["id"])
        if rule["level"] not in LEVELS:
            complaints.append(f"{name}: there is no level {rule['level']}")
        tactic = "attack." + rule["path"].parent.name.replace("_", "-")
        if tactic not in rule["tags"]:
            complaints.append(f"{name}: lies in a folder whose tag {tactic} it has not")
    return complaints


def check_coverage(rules, cases):
    """Each rule has a test event that fires it and one that only looks like it."""
    complaints = []
    for rule in rules:
        for expect in (True, False):
            if not any(c["rule"] == rule["id"] and c["expect"] is expect for c in cases):
                complaints.append(f"{rule['path'].stem}: no test event with expect {expect}")
    known = {rule["id"] for rule in rules}
    complaints += [f"{c['file']}: no rule {c['rule']}" for c in cases if c["rule"] not in known]
    files = {case["file"] for case in cases}
    stray = {p.name for p in (CONTENT / "tests").glob("*.jsonl")} - files
    return complaints + [f"tests/{name}: no rule of that name" for name in sorted(stray)]


def is_watched(path, patterns):
    for pattern in patterns:
        if pattern.startswith("*"):
            hit = path.endswith(pattern[1:])
        elif pattern.endswith("/"):
            hit = path.startswith(pattern)
        else:
            hit = path == pattern
        if hit:
            return True
    return False


def check_watch(cases):
    """Opens reach the rules only for watched paths, so every expected one has to be watched."""
    lines = (CONTENT / "watch.txt").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    opens = [c for c in cases if c["expect"] and c["event"]["type"] == "file_open"]
    return [
        f"{case['file']}: {case['event']['target_path']} is not in content/watch.txt"
        for case in opens
        if not is_watched(case["event"]["target_path"], patterns)
    ]


def check_cases(cases, fired, expect):
    word = "did not fire" if expect else "fired"
    return [
        f"{case['file']}: {word}: {case['note']}"
        for case, rules in zip(cases, fired)
        if case["expect"] is expect and (case["rule"] in rules) is not expect
    ]


def print_company(rules, cases, fired):
    """Other rules that fired on a test event are no failure; people want to know them."""
    titles = {rule["id"]: rule["path"].stem for rule in rules}
    for case, ids in zip(cases, fired):
        others = sorted(titles.get(id, id) for id in ids - {case["rule"]})
        if others:
            print(f"# {case['file']}: {case['note']}: also {', '.join(others)}")


def check_ordinary(rules, events, fired):
    loud = {r["id"]: r["path"].stem for r in rules if r["level"] not in QUIET_LEVELS}
    complaints = []
    if len(events) < ORDINARY_MIN:
        complaints.append(f"only {len(events)} events; an hour has {ORDINARY_MIN} at least")
    for number, ids in enumerate(fired, 1):
        complaints += [f"ordinary.jsonl:{number}: {loud[id]} fired" for id in ids if id in loud]
    return complaints


def table(rules):
    text = TABLE_BEGIN
    for tactic in sorted({rule["path"].parent.name for rule in rules}):
        mine = [rule for rule in rules if rule["path"].parent.name == tactic]
        text += f"\n### {tactic.replace('_', ' ').capitalize()} ({len(mine)})\n\n"
        text += "| rule | level | events |\n| --- | --- | --- |\n"
        for rule in mine:
            link = rule["path"].relative_to(CONTENT).as_posix()
            text += f"| [{rule['title']}]({link}) | {rule['level']} | {rule['category']} |\n"
    return text + "\n" + TABLE_END


def readme_with(new_table):
    text = (CONTENT / "README.md").read_text(encoding="utf-8")
    before, rest = text.split(TABLE_BEGIN)
    return before + new_table + rest.split(TABLE_END)[1]


def check_readme(rules):
    if readme_with(table(rules)) == (CONTENT / "README.md").read_text(encoding="utf-8"):
        return []
    return ["content/README.md: the table is old; run tests/content/test_content.py --write-table"]


def main(arguments):
    rules = read_rules()
    if arguments == ["--write-table"]:
        (CONTENT / "README.md").write_text(readme_with(table(rules)), encoding="utf-8")
        return 0
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    cases = read_cases(rules)
    ordinary = read_lines(ORDINARY)
    tap = Tap()
    tap.result("every rule carries what a rule has to", check_metadata(rules))
    tap.result("every rule has both kinds of test event", check_coverage(rules, cases))
    tap.result("every path that a rule reads is watched", check_watch(cases))
    tap.result("the table in the README is current", check_readme(rules))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pack = folder / "content.pack"
        tap.result(f"{len(rules)} rules compile", build(arguments[0], pack))
        events = [case["event"] for case in cases] + ordinary
        fired = match(arguments[0], pack, events, folder)
    print_company(rules, cases, fired)
    tap.result("every attack fires its rule", check_cases(cases, fired, True))
    tap.result("no near miss fires its rule", check_cases(cases, fired, False))
    quiet = check_ordinary(rules, ordinary, fired[len(cases) :])
    tap.result(f"{len(ordinary)} ordinary events are quiet", quiet)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
