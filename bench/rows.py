# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
"""rows: what is measured, what it is called, and how much of it rein may take."""
from typing import NamedTuple, Optional

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "bytes": 1, "instructions": 1}


class Limit(NamedTuple):
    """At most `most`, of the figure of a subject for a key; of nothing, if there is no subject."""
    most: float
    subject: str = ""
    key: str = ""  # that of the row itself, if empty
    words: str = ""
    processors: int = 1  # judged only on a machine that has as many
    inverted: bool = False  # said as how much more is done, not as how much less it takes

    def __str__(self):
        if self.words:
            return self.words
        return f"≤ {self.most:,g}" + (f" × {self.subject}" if self.subject else "")


class Row(NamedTuple):
    key: str  # as the programs print it, with a figure in ns or bytes
    text: str  # the line of the table; empty: it has none
    command: str  # operation, case and number: what prints the key
    limit: Optional[Limit] = None
    unit: str = "ns"
    once: bool = False  # not each round: it does not change, or takes long
    only: str = ""  # the one subject that is asked; the others have nothing to do with it


def floor(most):
    return Limit(most, "floor")


def striped(most):
    return Limit(most, "striped")


def own(most, key, words):
    return Limit(most, "rein", key, f"≤ {most:g} × {words}")


def scales(factor, key):
    return Limit(1 / factor, "rein", key, f"scales ≥ {factor:g} ×", 2, True)


LOADS = Limit(2, "floor", "check.live", "≤ 2 × a load")
NAP = "≤ 1.6 × a bare sleep"
NEVER_EARLY = Limit(0, words="never early")
WORKS = Limit(float("inf"), words="works")

ROWS = [
    Row("check.live", "ask: live", "check live", LOADS),
    Row("check.deadline", "ask: with a deadline", "check deadline", LOADS),
    Row("check.cancelled", "ask: cancelled", "check cancelled", LOADS),
    Row("check.under.100", "ask: under 100 values", "value check 100", LOADS),
    Row("check.under.100", "    beside none", "value check 100",
        own(1.1, "check.under.0", "under none")),
    Row("check.threads.2", "ask: the same one, 2 threads", "check threads 2",
        scales(1.8, "check.threads.1")),

    Row("derive.end", "derive, end", "derive end", floor(1.5)),
    Row("derive.cancel", "derive, cancel, release", "derive cancel"),
    Row("derive.under.100", "derive, end: under 100 values", "value derive 100",
        own(1.1, "derive.end", "under none")),

    Row("timeout.among.0", "timeout, end: alone", "timeout among 0", floor(1.5)),
    Row("timeout.among.100000", "timeout, end: among 100,000", "timeout among 100000",
        own(1.25, "timeout.among.0", "alone")),
    Row("timeout.among.1000000", "timeout, end: among 1,000,000", "timeout among 1000000",
        own(1.5, "timeout.among.10", "among 10")),

    Row("family.cancel.1", "cancel, per child of 1", "family cancel 1"),
    Row("family.cancel.10", "cancel, per child of 10", "family cancel 10"),
    Row("family.cancel.1000", "cancel, per child of 1,000", "family cancel 1000", floor(1.8)),
    Row("family.cancel.100000", "cancel, per child of 100,000", "family cancel 100000"),
    Row("family.cancel.1000000", "cancel, per child of 1,000,000", "family cancel 1000000",
        floor(2)),
    Row("family.life.1000", "made, cancelled, released: 1,000", "family life 1000"),
    Row("family.life.1000000", "made, cancelled, released: 1,000,000", "family life 1000000"),
    Row("chain.cancel.1000", "cancel, per level of 1,000", "chain cancel 1000", floor(1.8)),
    Row("chain.cancel.100000", "cancel, per level of 100,000", "chain cancel 100000"),
    Row("chain.deep.10000000", "10,000,000 levels, 64 KiB of stack", "chain deep 10000000", WORKS,
        once=True),

    Row("callback", "callback on, off", "callback on_off", floor(1.5)),

    *[Row(f"value.{kind}.{depth}", f"value {what}, depth {depth:,}", f"value {kind} {depth}", limit)
      for kind, what in (("hit", "found"), ("miss", "missing"))
      for depth, limit in ((1, None), (10, None),
                           (100, own(5, f"value.{kind}.1", "depth 1")),
                           (1000, own(3, f"value.{kind}.100", "depth 100")))],
    Row("value.bind.0", "with_value, unref", "value bind 0", own(1.5, "derive.end", "derive, end")),
    Row("value.bind.100", "with_value, unref: under 100", "value bind 100",
        own(1.5, "derive.end", "derive, end")),

    Row("wake.one.p50", "wake, one processor: half", "wake one", floor(1.2), "us"),
    Row("wake.one.p99", "wake, one processor: 99 %", "wake one", unit="us"),
    Row("wake.two.p50", "wake, two processors: half", "wake two", unit="us"),
    Row("wake.two.p99", "wake, two processors: 99 %", "wake two", unit="us"),
    Row("waiters.last.1000", "1,000 waiters: the last one runs", "waiters broadcast 1000",
        floor(1.5), "us"),
    Row("waiters.busy.1000", "1,000 waiters: the canceller is busy", "waiters broadcast 1000",
        floor(4), "us"),

    *[Row(f"contend.shared.{n}", f"one parent, threads: {n}", f"contend shared {n}", limit)
      for n, limit in ((1, None), (2, striped(1.7)), (4, striped(1.7)), (8, striped(1.7)),
                       (16, None))],
    *[Row(f"contend.shared.thread.{n}", f"    in thread-ns: {n}", f"contend shared {n}",
          Limit(1.5, "rein", "contend.shared.thread.1", "≤ 1.5 × 1 thread", n))
      for n in (2, 4, 8, 16)],
    Row("contend.own.1", "a parent each, threads: 1", "contend own 1"),
    Row("contend.own.2", "a parent each, threads: 2", "contend own 2",
        scales(1.7, "contend.own.1")),
    Row("contend.timeout.2", "one parent, timeouts, threads: 2", "contend timeout 2",
        striped(1.5)),

    Row("memory.child", "memory of a child", "memory child", Limit(144), "bytes", once=True),
    Row("memory.timeout", "memory of a timeout", "memory timeout", Limit(192), "bytes", once=True),
    *[Row(f"memory.value.{depth}", f"memory of a value, depth {depth:,}", f"memory value {depth}",
          Limit(192), "bytes", once=True) for depth in (1, 100, 1000)],
    Row("memory.left", "left by each of 1,000,000 children", "memory child", unit="bytes",
        once=True),

    Row("lateness.min", "1,000 timeouts over 1 s: earliest", "lateness timers", NEVER_EARLY, "us"),
    Row("lateness.p50", "1,000 timeouts over 1 s: half", "lateness timers",
        Limit(1.6, "floor", "sleep.p50", NAP), "us"),
    Row("lateness.p99", "1,000 timeouts over 1 s: 99 %", "lateness timers",
        Limit(1.6, "floor", "sleep.p99", NAP), "us"),
    Row("sleep.p50", "a bare sleep: half", "lateness sleep", unit="us", only="floor"),
    Row("sleep.p99", "a bare sleep: 99 %", "lateness sleep", unit="us", only="floor"),
    *[Row(f"fire.{key}.{n}", f"{n:,} timeouts within 2 s: {what}", f"fire many {n}",
          limit if n == 1000000 else None, unit)
      for n in (10000, 1000000)
      for key, what, limit, unit in (
          ("make", "make one", floor(1.6), "ns"),
          ("processor", "processor time of one", floor(1.6), "ns"),
          ("p50", "half late", Limit(1e6, words="≤ 1 ms"), "us"),
          ("p99", "99 % late", None, "us"))],

    *[Row(f"instructions.{key}", text, "instructions", limit, "instructions", True, "rein")
      for key, text, limit in (
          ("check", "instructions: ask, under 10 values", None),
          ("child", "instructions: derive, end", Limit(400)),
          ("child_cancelled", "instructions: derive, cancel, end", None),
          ("timeout", "instructions: timeout, end", Limit(600)),
          ("family", "instructions: a life in a family of 100", None),
          ("callback", "instructions: callback on, off", None),
          ("value", "instructions: with_value, unref", None),
          ("lookup", "instructions: value found, depth 10", None))],
    Row("text", "code of librein.so", "text", Limit(65536), "bytes", True, "rein"),

    # Limits and plots are about these, too.
    Row("check.under.0", "", "value check 0"),
    Row("check.threads.1", "", "check threads 1"),
    Row("contend.shared.thread.1", "", "contend shared 1"),
    *[Row(f"timeout.among.{n}", "", f"timeout among {n}") for n in (10, 100, 1000, 10000)],
]
