"""The readings: two cities, one year, dealt to as many sensors as wanted. Source: data/README.md."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

CITIES: Final = {"sea": ("Seattle", "seattle-temps.csv"), "sf": ("San Francisco", "sf-temps.csv")}
"""Name and file of each city, by the prefix of its sensors."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: `hour` counts from the start of the year and says when it is due."""

    hour: int
    time: str
    celsius: float


def city(prefix: str) -> list[Reading]:
    """Return a city's readings in their order."""
    source = files("actorhost.demo") / "data" / CITIES[prefix][1]
    rows = csv.DictReader(source.read_text(encoding="ascii").splitlines())
    return [Reading(hour, row["date"], (float(row["temp"]) - 32) / 1.8) for hour, row in enumerate(rows)]


def deal(sensors: int) -> dict[str, list[Reading]]:
    """Return the readings of each of `sensors` sensors, at least one for each city.

    A city's readings go to its sensors in turn, so those of all sensors together are the year.
    """
    dealt: dict[str, list[Reading]] = {}
    for prefix, count in zip(CITIES, _shares(max(sensors, len(CITIES))), strict=True):
        readings = city(prefix)
        for number in range(count):
            dealt[f"{prefix}-{number:03}"] = readings[number::count]
    return dealt


def _shares(sensors: int) -> Iterator[int]:
    each, extra = divmod(sensors, len(CITIES))
    for position in range(len(CITIES)):
        yield each + (position < extra)
