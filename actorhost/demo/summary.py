"""Puts the statistics of a city's sensors together, as if one had taken all readings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from actorhost.demo.readings import CITIES


class City(Struct, frozen=True):
    """A city's year; temperatures in degrees Celsius, the deviation that of a sample."""

    name: str
    sensors: int
    readings: int
    mean: float
    minimum: float
    maximum: float
    deviation: float
    alarms: int


def by_city(statistics: Mapping[str, dict[str, Any] | None]) -> list[City]:
    """Return each city's figures, put together from its sensors' own."""
    return [
        _city(name, [found for sensor, found in statistics.items() if found and _is_of(sensor, prefix)])
        for prefix, (name, _) in CITIES.items()
    ]


def _is_of(sensor: str, prefix: str) -> bool:
    return sensor.startswith(f"{prefix}-")


def _city(name: str, parts: Sequence[dict[str, Any]]) -> City:
    count = sum(part["count"] for part in parts)
    mean = sum(part["count"] * part["mean"] for part in parts) / count
    # Chan, Golub and LeVeque: squares within the parts, and between their means and the whole's.
    squares = sum(
        part["stddev"] ** 2 * (part["count"] - 1) + part["count"] * (part["mean"] - mean) ** 2
        for part in parts
    )
    return City(
        name=name,
        sensors=len(parts),
        readings=count,
        mean=mean,
        minimum=min(part["min"] for part in parts),
        maximum=max(part["max"] for part in parts),
        deviation=math.sqrt(squares / max(1, count - 1)),
        alarms=sum(part["alarms"] for part in parts),
    )
