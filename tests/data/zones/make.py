#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the zone files and the answers for tests/unit/base/test_zone.c and
tests/unit/enforcement/test_window.c, with Python's zoneinfo as the judge: run it here after a change. The files are copies of the system's zone database (public domain);
half of them are cut to what comes before 2020, so that the rule at their end has to answer."""
import datetime as d
import struct
import zoneinfo

ZONES = """Africa/Cairo Africa/Casablanca Africa/Johannesburg America/Anchorage America/Argentina/Buenos_Aires
America/Asuncion America/Caracas America/Chicago America/Havana America/Los_Angeles America/New_York
America/Nuuk America/Santiago America/Sao_Paulo America/St_Johns Asia/Gaza Asia/Jerusalem Asia/Kathmandu
Asia/Kolkata Asia/Shanghai Asia/Tehran Asia/Tokyo Australia/Eucla Australia/Lord_Howe Australia/Sydney
Europe/Berlin Europe/Dublin Europe/London Europe/Moscow Pacific/Apia Pacific/Chatham Pacific/Kiritimati""".split()
UTC = d.timezone.utc
EPOCH = d.datetime(1970, 1, 1, tzinfo=UTC)


def cut(data, before):
    """The file without the first table and without the moments from `before` on."""
    def counts(at):
        return struct.unpack(">6L", data[at + 20:at + 44])
    isut, isstd, leap, times, types, chars = counts(0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    isut, isstd, leap, times, types, chars = counts(at)
    body = at + 44
    moments = struct.unpack(f">{times}q", data[body:body + times * 8])
    keep = sum(1 for m in moments if m < before)
    rest = data[body + times * 9:]
    head = b"TZif2" + bytes(15)
    return (head + struct.pack(">6L", 0, 0, 0, 0, 1, 4) + bytes(6) + b"UTC\0" +
            head + struct.pack(">6L", isut, isstd, leap, keep, types, chars) +
            data[body:body + keep * 8] + data[body + times * 8:body + times * 8 + keep] + rest)


def offset(zone, at):
    return int((EPOCH + d.timedelta(seconds=at)).astimezone(zone).utcoffset().total_seconds())


def day_begin(zone, day):
    """The first whole minute from which the local date is `day` or later."""
    at = day * 86400 - 27 * 3600
    step = 3600
    while step >= 60:
        while (at + offset(zone, at)) // 86400 < day:
            at += step
        if step == 60:
            return at
        at -= step
        step = {3600: 900, 900: 60}[step]


def short_edges(zone, turn, length):
    """The edges around a turn, second by second: where the local clock shows a full hour (minute), or
    shows a later one than before."""
    edges = []
    last = None
    for at in range(turn - 2 * length - 1, turn + 2 * length + 1):
        local = at + offset(zone, at)
        if last is not None and (local % length == 0 or local // length > last // length):
            edges.append(at)
        last = local
    return edges


def long_edges(zone, turn, kind):
    """Where the windows around a turn begin: by the dates in its neighbourhood that begin one."""
    here = d.date(1970, 1, 1) + d.timedelta(days=(turn + offset(zone, turn)) // 86400)
    reach = {"day": 4, "monday": 16, "sunday": 16, "month": 70, "year": 760}[kind]
    edges = []
    for n in range(-reach, reach):
        date = here + d.timedelta(days=n)
        if {"day": True, "monday": date.weekday() == 0, "sunday": date.weekday() == 6, "month": date.day == 1,
                "year": (date.month, date.day) == (1, 1)}[kind]:
            edges.append(day_begin(zone, (date - d.date(1970, 1, 1)).days))
    return edges


def window_line(stem, zone, turn):
    """Per kind: how long before the turn the last edge was, how long after it the next one is, and a star
    if the turn is one itself."""
    words = []
    for kind in ("minute", "hour", "day", "monday", "sunday", "month", "year"):
        length = {"minute": 60, "hour": 3600}.get(kind)
        edges = short_edges(zone, turn, length) if length else long_edges(zone, turn, kind)
        before = turn - max(e for e in edges if e < turn)
        after = min(e for e in edges if e > turn) - turn
        words.append(f"{before}{'*' if turn in edges else '+'}{after}")
    return f"{stem} {turn} {' '.join(words)}"


def main():
    windows = ["# zone turn minute hour day monday sunday month year: by make.py"]
    lines = ["# zone at <utc> <offset> | zone day <day> <begins>: by make.py"]
    for name in ZONES:
        data = open("/usr/share/zoneinfo/" + name, "rb").read()
        stem = name.replace("/", "_")
        rule = data.rstrip(b"\n").rsplit(b"\n", 1)[1]
        # A rule answers for all of these years in zones that have not changed theirs since.
        if name in ("America/New_York", "America/Los_Angeles", "America/Chicago", "America/Havana", "Asia/Jerusalem",
                    "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Dublin", "Europe/London",
                    "Pacific/Chatham", "America/St_Johns", "Asia/Kathmandu", "America/Santiago"):
            data = cut(data, 1546300800 if name != "America/Santiago" else 1700000000)
        open(stem + ".tzif", "wb").write(data)
        zone = zoneinfo.ZoneInfo.from_file(open(stem + ".tzif", "rb"), key=name)
        turns = []
        for year in list(range(2020, 2031)) + [2040, 2099]:
            at = int((d.datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
            end = at + 366 * 86400
            old = offset(zone, at)
            while at < end:
                new = offset(zone, at + 3600)
                if new != old:
                    low = at
                    while offset(zone, low) == old:
                        low += 60
                    turns.append(low)
                    old = new
                at += 3600
            lines.append(f"{stem} at {at - 200 * 86400} {offset(zone, at - 200 * 86400)}")
            lines.append(f"{stem} day {at // 86400 - 190} {day_begin(zone, at // 86400 - 190)}")
        windows += [window_line(stem, zone, turn) for turn in turns]
        for turn in turns:
            for at in (turn - 1, turn):
                lines.append(f"{stem} at {at} {offset(zone, at)}")
            local = (turn + offset(zone, turn)) // 86400
            for day in (local, local + 1):
                lines.append(f"{stem} day {day} {day_begin(zone, day)}")
    open("expected.txt", "w").write("\n".join(lines) + "\n")
    open("windows.txt", "w").write("\n".join(windows) + "\n")


main()
