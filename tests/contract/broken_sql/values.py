"""Backends that break the rules about values and parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace as changed

from actorhost.contracts.provider import Link
from actorhost.contracts.sql import ExecuteParams, Outcome, Page, QueryParams
from actorhost.errors import BadRequest
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.broken_sql.entry import ChangesExecute, ChangesFields, breaks


@breaks("value-kinds")
class BooleansAreNumbers(ChangesFields):
    def field(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@breaks("value-bounds")
class RoundsReals(ChangesFields):
    def field(self, value: Any) -> Any:
        return round(value, 20) if isinstance(value, float) else value


@breaks("value-null")
class NullIsEmpty(ChangesFields):
    def field(self, value: Any) -> Any:
        return "" if value is None else value


@breaks("value-timestamp")
class MomentsAreText(ChangesFields):
    def field(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


@breaks("value-not-finite")
class InfinityIsNull(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        try:
            return await super().query(link, params)
        except BadRequest as error:
            if "not finite" not in str(error):
                raise
            return Page(["r"], [[None]])


@breaks("parameter-numbers")
class CountsPlaceholders(ChangesExecute):
    def bend(self, params: ExecuteParams) -> ExecuteParams:
        return changed(params, parameters=params.parameters[::-1])


@breaks("parameter-missing")
class MissingIsNull(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except BadRequest as error:
            if "statement takes $" not in str(error):
                raise
            return await self.execute(link, changed(params, parameters=[*params.parameters, None]))


@breaks("parameter-unused")
class UnusedIsIgnored(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except BadRequest as error:
            if "takes none" not in str(error) and "takes only" not in str(error):
                raise
            return await self.execute(link, changed(params, parameters=params.parameters[:-1]))


@breaks("parameter-bound")
class FormatsValues(ChangesExecute):
    def bend(self, params: ExecuteParams) -> ExecuteParams:
        text = params.statement
        for number, value in enumerate(params.parameters, 1):
            text = text.replace(f"${number}", f"'{value}'")
        return changed(params, statement=text.partition(";")[0], parameters=[])
