# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
"""report: what was measured, in words: as text, Markdown or JSON.

Times of two machines, or of two days, do not compare; ratios do. So what is judged is a ratio, the
median of the rounds' ratios.
"""
import json
from statistics import median

from rows import NEVER_EARLY, UNITS, WORKS

NAMES = {"rein": "rein", "floor": "floor", "striped": "striped", "go": "Go", "nsync": "nsync",
         "glib": "GLib", "stdcxx": "libstdc++", "tokio": "tokio", "uv": "libuv"}
FLOORS = ("floor", "striped")


class Results:
    """Figures by key, subject and round; failures by command and subject."""

    def __init__(self, subjects, rounds, machine, processors):
        self.subjects, self.rounds = subjects, rounds
        self.machine, self.processors = machine, processors
        self.figures, self.failures = {}, {}

    def add(self, key, subject, round_, figure):
        self.figures.setdefault(key, {}).setdefault(subject, {})[round_] = figure

    def fail(self, command, subject, how):
        self.failures.setdefault((command, subject), how)

    def of(self, key, subject):
        return self.figures.get(key, {}).get(subject, {})

    def median(self, key, subject):
        rounds = self.of(key, subject)
        return median(rounds.values()) if rounds else None

    def ratio(self, key, subject, other_key, other):
        """The median of subject's figure divided by other's, round by round."""
        ours, theirs = self.of(key, subject), self.of(other_key, other)
        ratios = [ours[r] / theirs[r] for r in ours if theirs.get(r)]
        return median(ratios) if ratios else None


def judge(results, row):
    """What is held against the limit, and the verdict; (None, "") where nothing can be said."""
    limit = row.limit
    if limit is None or "rein" not in results.subjects:
        return None, ""
    if (row.command, "rein") in results.failures:
        return None, "missed"
    if limit.subject:
        value = results.ratio(row.key, "rein", limit.key or row.key, limit.subject)
    else:
        value = results.median(row.key, "rein")
    if value is None:
        return None, ""
    if limit is NEVER_EARLY:
        return value, "met" if value >= 0 else "missed"
    if limit.processors > results.processors:
        return value, "too few cores"
    return value, ("met" if value <= limit.most
                   else "within 25 %" if value <= 1.25 * limit.most else "missed")


def number(x):
    if x is None:
        return ""
    if abs(x) >= 100:
        return f"{x:,.0f}"
    return f"{x:.2f}" if abs(x) < 10 else f"{x:.1f}"


def multiple(x):
    return "" if x is None else number(x) + " ×"


def measured(row, value):
    if value is None or row.limit is WORKS:
        return ""
    if row.limit.subject:
        return multiple(1 / value if row.limit.inverted else value)
    return number(value / UNITS[row.unit])


def cell(results, row, subject):
    """Rein and the floors as figures; the others as multiples of rein's, where that makes sense."""
    if (row.command, subject) in results.failures:
        return results.failures[row.command, subject]
    if subject == "rein" or subject in FLOORS or row.limit is NEVER_EARLY or \
            not results.of(row.key, "rein"):
        figure = results.median(row.key, subject)
        return "" if figure is None else number(figure / UNITS[row.unit])
    return multiple(results.ratio(row.key, subject, row.key, "rein"))


def head(results):
    peers = [s for s in results.subjects if s != "rein" and s not in FLOORS]
    first = [s for s in results.subjects if s not in peers]
    return first, peers


def lines(results, rows):
    """The table: a head, and a list of cells for each row that has anything to show."""
    first, peers = head(results)
    yield ["operation", "unit", *map(NAMES.get, first), "measured", "limit", "",
           *map(NAMES.get, peers)]
    for row in rows:
        if not row.text or not results.figures.get(row.key) and not \
                any(command == row.command for command, _ in results.failures):
            continue
        value, verdict = judge(results, row)
        yield [row.text, {"us": "µs", "instructions": ""}.get(row.unit, row.unit),
               *(cell(results, row, subject) for subject in first),
               measured(row, value), str(row.limit) if row.limit else "", verdict,
               *(cell(results, row, subject) for subject in peers)]


def summary(results, rows):
    verdicts = [judge(results, row)[1] for row in rows]
    return ", ".join(f"{verdicts.count(v)} {v}" for v in ("met", "within 25 %", "missed")
                     if verdicts.count(v)) or "no limit was measured"


def words(results):
    _, peers = head(results)
    said = f"Medians of {results.rounds} round{'s' * (results.rounds != 1)}."
    if peers:
        said += " Other libraries: in multiples of what rein takes."
    if results.processors < 16:
        said += f" How more threads than {results.processors} scale, this machine cannot tell."
    return said


def text(results, rows):
    table = list(lines(results, rows))
    left = (0, 1, table[0].index("limit"), table[0].index("limit") + 1)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    said = [f"{what}: {how}" for what, how in results.machine.items()] + [""]
    for line in table:
        said.append("  ".join(c.ljust(w) if i in left else c.rjust(w)
                              for i, (c, w) in enumerate(zip(line, widths))).rstrip())
    return "\n".join(said + ["", words(results), f"Limits: {summary(results, rows)}."]) + "\n"


def markdown(results, rows):
    table = list(lines(results, rows))
    limit = table[0].index("limit")
    rule = ["---" if i in (0, 1, limit, limit + 1) else "--:" for i in range(len(table[0]))]
    said = ["| | |", "|---|---|"] + [f"| {what} | {how} |" for what, how in results.machine.items()]
    said += ["", words(results), f"Limits: {summary(results, rows)}.", ""]
    for line in [table[0], rule, *table[1:]]:
        said.append("| " + " | ".join(c.replace("    ", "… ") for c in line) + " |")
    return "\n".join(said) + "\n"


def as_json(results, rows):
    limits = {}
    for row in rows:
        value, verdict = judge(results, row)
        if verdict:
            limits.setdefault(row.key, []).append(
                {"limit": str(row.limit), "measured": value, "verdict": verdict})
    return json.dumps({
        "machine": results.machine,
        "rounds": results.rounds,
        "subjects": results.subjects,
        "figures": {key: {subject: list(rounds.values()) for subject, rounds in by.items()}
                    for key, by in results.figures.items()},
        "limits": limits,
        "failures": {f"{command}, {subject}": how
                     for (command, subject), how in results.failures.items()},
    }, indent=1, ensure_ascii=False) + "\n"


FORMATS = {"text": text, "markdown": markdown, "json": as_json}
SUFFIXES = {"text": "txt", "markdown": "md", "json": "json"}
