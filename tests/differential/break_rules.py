"""Spoils a valid rule in one of the ways that have to be refused."""

BAD_ITEMS = [
    ("CommandLine|containz", "a"), ("CommandLine|", "a"), ("CommandLine|contains|re", "a"),
    ("CommandLine|i", "a"), ("CommandLine|contains|all", "a"), ("CommandLine|contains|all", ["a"]),
    ("CommandLine", ["a", None]), ("CommandLine|gt", "abc"), ("CommandLine|exists", "maybe"),
    ("CommandLine|cidr", "300.0.0.0/8"), ("CommandLine|cidr", "10.0.0.0/33"), ("CommandLine|cidr", "10.*"),
    ("CommandLine|re", "(a"), ("CommandLine|re", "[a"), ("CommandLine|re", "*a"), ("CommandLine|re", "a{3,2}"),
    ("CommandLine|re", "(?=a)b"), ("CommandLine|re", "(?<!a)b"), ("CommandLine|re", r"(a)\1"),
    ("CommandLine|re", "a)"), ("CommandLine|base64", "a*b"), ("CommandLine|base64offset|contains", "ab?d"),
    ("CommandLine|expand", "%x%"), ("CommandLine", {"a": "b"}), ("CommandLine|contains", None),
    ("CommandLine|month", "May"), ("CommandLine|contains|base64", "abc"), ("CommandLine", [["a"]]),
]  # fmt: skip
BAD_CONDITIONS = [
    "", "(sel_a", "sel_a)", "sel_a and", "not", "sel_a sel_a", "sel_a | count() > 5", "sel_a near sel_a",
    "1 of", "2 of them", "1 of x*", "all of _nothing*", "sel_a and unknown", "and", "()", "sel_a or or sel_a",
]  # fmt: skip


def spoil(rng, rule):
    """One fault; the rule is changed in place."""
    detection = rule["detection"]
    pick = rng.randrange(10)
    if pick < 4:
        key, value = rng.choice(BAD_ITEMS)
        detection["sel_a"] = {key: value}
        detection["condition"] = "sel_a"
    elif pick < 7:
        detection.setdefault("sel_a", {"CommandLine": "a"})
        detection["condition"] = rng.choice(BAD_CONDITIONS)
    elif pick == 7:
        detection["sel_a"] = rng.choice([{}, [], None])
        detection["condition"] = "sel_a"
    elif pick == 8:
        key, value = rng.choice([("title", None), ("level", "severe"), ("status", "done"), ("logsource", {})])
        rule[key] = value
    else:
        rule.pop(rng.choice(["title", "logsource", "detection"]))
