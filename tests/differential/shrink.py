"""Makes a disagreement small: one rule and one event, as long as both still say different things."""

import copy


def smaller_texts(text):
    half = len(text) // 2
    if half:
        yield text[:half]
        yield text[half:]
    for at in range(min(len(text), 40)):
        yield text[:at] + text[at + 1 :]


def smaller(value):
    """Everything that is one step smaller than a part of a rule or event."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
        for key, inner in value.items():
            for less in smaller(inner):
                yield value | {key: less}
        for key, inner in value.items():  # a modifier less
            parts = str(key).split("|")
            for at in range(1, len(parts)):
                yield {("|".join(parts[:at] + parts[at + 1 :]) if k == key else k): v for k, v in value.items()}
    elif isinstance(value, list):
        for at in range(len(value)):
            yield value[:at] + value[at + 1 :]
        for at, inner in enumerate(value):
            for less in smaller(inner):
                yield value[:at] + [less] + value[at + 1 :]
        if len(value) == 1:
            yield value[0]
    elif isinstance(value, str):
        yield from smaller_texts(value)


def candidates(rule, line):
    detection = rule["detection"]
    for name in detection:
        if name != "condition" and detection["condition"] != name:
            yield rule | {"detection": detection | {"condition": name}}, line
    for less in smaller(detection):
        yield rule | {"detection": less}, line
    for less in smaller(line["fields"]):
        yield rule, line | {"fields": less}


def shrink(rule, line, differs, most=400):
    """`differs(rule, line)`: do they still disagree? At most `most` questions."""
    rule, line = copy.deepcopy(rule), copy.deepcopy(line)
    asked = 0
    again = True
    while again and asked < most:
        again = False
        for try_rule, try_line in candidates(rule, line):
            asked += 1
            if asked > most:
                break
            if differs(try_rule, try_line):
                rule, line = try_rule, try_line
                again = True
                break
    return rule, line
