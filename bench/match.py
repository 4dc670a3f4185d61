#!/usr/bin/python3
"""What an event costs over 100 to 10,000 rules, beside Vectorscan and beside one rule after another.

    bench/match.py BUILD [--corpus DIR] [--counts 100,1000,…] [--rounds N] [--out FILE.json]

Rules are those of content/rules and of DIR/rules and DIR/windows/rules (tests/corpus/README.md),
mutated to as many as are wanted (mutate.py), of processes, without a product: every event is asked
about every rule. Events are ordinary ones of the recordings in tests/content, those of content/golden,
some derived from the rules, and some made to be slow (events.py). Prints a table; --out keeps everything.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILDS = 3
EVENTS = {"ordinary": 2000, "golden": 2000, "derived": 500, "adversarial": 36}
# Rounds; cold events; events that are also asked one rule after another, which takes its time.
EFFORT = {"ordinary": (7, 40, 20), "golden": (5, 40, 5), "derived": (5, 10, 10), "adversarial": (7, 5, 2)}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr or done.stdout}")
    return done.stdout


def make_events(folder, rules):
    recordings = {
        "ordinary": sorted((ROOT / "tests/content").glob("ordinary*.jsonl")),
        "golden": sorted((ROOT / "content/golden").glob("*.jsonl.zst")),
    }
    paths = {}
    for kind, count in EVENTS.items():
        paths[kind] = folder / f"{kind}.jsonl"
        run(HERE / "events.py", kind, count, rules, paths[kind], *recordings.get(kind, []))
    return paths


def build(command, rules, pack):
    """Seconds to compile them all."""
    taken = []
    for _ in range(BUILDS):
        began = time.monotonic()
        run(command, "content", "build", rules, "-o", pack, "--any-product")
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def measure(options, folder, counts):
    sources = [ROOT / "content/rules"]
    if options.corpus:
        sources += [pathlib.Path(options.corpus) / "rules", pathlib.Path(options.corpus) / "windows/rules"]
    results = []
    events = None
    for count in sorted(counts):
        rules = folder / str(count)
        run(HERE / "mutate.py", count, rules, *sources, "--category", "process_creation", "--any-source")
        events = events or make_events(folder, rules)
        pack = folder / f"{count}.pack"
        seconds = build(options.build / "src/ctl/bulkhead", rules, pack)
        for kind, path in events.items():
            rounds, cold, plain = EFFORT[kind]
            said = run(
                options.build / "bench/match_bench", pack, path, options.rounds or rounds, cold, plain
            )
            results.append({"kind": kind, "build_s": seconds} | json.loads(said))
            print(f"# {count} rules, {kind} events: done", file=sys.stderr, flush=True)
    return results


def us(nanoseconds):
    micro = nanoseconds / 1000
    return f"{micro:.1f}" if micro < 100 else f"{micro:,.0f}"


def rival(result, when):
    """The faster of the two ways to use it."""
    ways = [result[when][w] for w in ("vectorscan", "vectorscan_triggers") if w in result[when]]
    return min(ways, key=lambda way: way["mean"]) if ways else None


def table(results):
    yield "| rules | events | ours: mean | p99 | max | cold | Vectorscan: mean | p99 | cold | its mean / ours | one by one: mean | … / ours |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for r in results:
        ours, cold, sample = r["warm"]["ours"], r["cold"]["ours"], r["sample"]
        row = [f"{r['rules']:,}", r["kind"], us(ours["mean"]), us(ours["p99"]), us(ours["max"]), us(cold["mean"])]
        best = rival(r, "warm")
        if best:
            row += [us(best["mean"]), us(best["p99"]), us(rival(r, "cold")["mean"])]
            row.append(f"{best['mean'] / ours['mean']:.2f}")
        else:
            row += ["–"] * 4
        row += [us(sample["plain"]["mean"]), f"{sample['plain']['mean'] / sample['ours']['mean']:,.0f}"]
        yield "| " + " | ".join(row) + " |"


def sizes(results):
    yield "| rules | compile, s | pack, MiB | verify and load, ms | memory, MiB | Vectorscan: compile, s | its tables, MiB |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for r in results:
        if r["kind"] != "ordinary":
            continue
        row = [f"{r['rules']:,}", f"{r['build_s']:.2f}", f"{r['pack_bytes'] / 2**20:.2f}"]
        row += [f"{r['open_ns'] / 1e6:.1f}", f"{r['resident_bytes'] / 2**20:.1f}"]
        has = "vectorscan_bytes" in r
        row += [f"{r['vectorscan_build_ns'] / 1e9:.1f}" if has else "–"]
        row += [f"{r['vectorscan_bytes'] / 2**20:.1f}" if has else "–"]
        yield "| " + " | ".join(row) + " |"


def growth(results):
    means = {r["rules"]: r["warm"]["ours"]["mean"] for r in results if r["kind"] == "ordinary"}
    rivals = {r["rules"]: rival(r, "warm") for r in results if r["kind"] == "ordinary"}
    if {1000, 10000} <= means.keys():
        words = f"From 1,000 to 10,000 rules an ordinary event costs {means[10000] / means[1000]:.2f} x"
        if rivals[1000]:
            words += f" (Vectorscan: {rivals[10000]['mean'] / rivals[1000]['mean']:.2f} x)"
        yield words + "."


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("build", type=pathlib.Path, help="a build folder")
    parse.add_argument("--corpus", help="a folder with more rules")
    parse.add_argument("--counts", default="100,1000,3000,10000")
    parse.add_argument("--rounds", type=int, help="instead of what each kind of event has")
    parse.add_argument("--out", type=pathlib.Path)
    options = parse.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options, pathlib.Path(folder), [int(n) for n in options.counts.split(",")])
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("Microseconds an event, over all rules and fields:\n")
    print("\n".join(table(results)), "", *growth(results), "", *sizes(results), sep="\n")
    undecided = {(r["rules"], r["kind"]): r["undecided_events"] for r in results if r["undecided_events"]}
    for (count, kind), events in undecided.items():
        print(f"\n{events} {kind} events over {count} rules met the budget of an event, and were told.")


if __name__ == "__main__":
    main()
