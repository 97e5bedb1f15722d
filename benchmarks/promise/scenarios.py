"""The scenarios: those that the constants of the forecast were chosen on, and those written after they stood.

`steady` scenarios go on as they began; in `shifting` ones something happens that no history announces.
"""

from __future__ import annotations

from benchmarks.promise.desks import OFFICE, Desk, daily, office, spell, steady, weekend

TUNED = (
    Desk("quiet", steady(2), steady(3)),
    Desk("busy", steady(5.3), steady(3)),
    Desk("office hours", office(8, 1), office(6), hours=OFFICE),
    Desk("weekend, fewer agents", steady(5), weekend(4, 0.25)),
    Desk("weekend, hours not configured", steady(3), office(12)),
    Desk("staff cut", steady(5), spell(steady(4), 14, 4, 0.5), shifting=True),
    Desk("market crash", spell(steady(3), 14, 1 / 24, 100), steady(3), shifting=True),
    Desk("crash in office hours", spell(office(8, 1), 14 + 11 / 24, 1 / 24, 100), office(6), days=42, hours=OFFICE,
         shifting=True),
    Desk("recovery", spell(steady(3), 10, 1 / 24, 100), spell(steady(3), 11, 2, 4), shifting=True),
    Desk("one agent", steady(1), steady(1), service_hours=0.7),
    Desk("large desk", daily(40), steady(24), spread=1.5),
    Desk("round the clock, daily swing", daily(6), daily(4)),
    Desk("oldest first, whatever the priority", steady(5.4), steady(3), pick="arrival"),
    Desk("any order", steady(5), steady(3), pick="any"),
    Desk("heavy spread", steady(2.5), steady(3), spread=3.0),
    Desk("short history", steady(1), steady(1), days=4),
    Desk("long service", steady(0.5), steady(5), service_hours=7),
    Desk("slow growth", lambda hour: 3 + hour / 24 / 28 * 3.5, steady(3), shifting=True),
    Desk("two crashes", spell(spell(steady(4), 8, 1 / 24, 100), 20, 1 / 24, 60), steady(4), shifting=True),
    Desk("crash in the first days", spell(steady(3), 2, 1 / 24, 100), steady(3), days=20, shifting=True),
    Desk("crash before the weekend", spell(daily(3), 11.7, 1 / 24, 100), weekend(4, 0.5), shifting=True),
    Desk("a day without answers", steady(4), spell(steady(3), 15, 1, 0), shifting=True),
    Desk("staff doubled", steady(5.6), spell(steady(3), 14, 14, 2), shifting=True),
    Desk("quiet to busy", spell(steady(1.5), 14, 14, 3.6), steady(3), shifting=True),
    Desk("all normal, staff cut in office hours", office(7, 1), spell(office(5), 14, 7, 0.6), mix={"normal": 1},
         hours=OFFICE, shifting=True),
)  # fmt: skip

ASIDE = (
    Desk("two shifts, hours not configured", daily(5), lambda hour: 5 if 6 <= hour % 24 < 22 else 0),
    Desk("office hours with a lunch break", office(6), lambda hour: office(5)(hour) if hour % 24 != 12 else 0,
         hours=dict.fromkeys(OFFICE, ("09:00-12:00", "13:00-17:00"))),
    Desk("busy Mondays", lambda hour: 7 if hour // 24 % 7 == 0 else 4, steady(3)),
    Desk("small desk", steady(0.25), steady(1), service_hours=1, days=56),
    Desk("answers twice a day", steady(2), lambda hour: 14 if hour % 24 in (9, 15) else 0),
    Desk("nearly all urgent", steady(4), steady(3), mix={"urgent": 0.6, "normal": 0.4}),
    Desk("holiday week", office(8, 1), spell(office(6), 14, 7, 0.3), days=42, hours=OFFICE, shifting=True),
    Desk("one agent leaves after the other", steady(3), lambda hour: 5 - hour // 168, shifting=True),
    Desk("a day of flood", spell(steady(2), 12, 1, 8), steady(3), days=35, shifting=True),
    Desk("crash in the night, office hours", spell(office(8, 1), 15.1, 1 / 24, 100), office(8), days=42, hours=OFFICE,
         shifting=True),
    Desk("crash on the second day of cut", spell(steady(4), 13, 1 / 24, 100), spell(steady(4), 12, 5, 0.5),
         shifting=True),
    Desk("all at once, long history", spell(spell(daily(4), 30, 1 / 24, 100), 60, 14, 1.4), spell(daily(4), 45, 5, 0.6),
         days=84, shifting=True),
)  # fmt: skip
