"""Which schema a database has, and which one this program wants."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from server.store.engine import Database, StoreError


class OtherSchema(StoreError):
    """The database has another schema than this program wants."""


MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def newest() -> str:
    """The revision that `schema.py` is."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None, "there are migrations"
    return head


def knows(revision: str) -> bool:
    """Whether this program can bring a database of that revision up to date."""
    known = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return revision in {each.revision for each in known}


async def check_current(database: Database) -> None:
    """Changes nothing. Raises OtherSchema, and StoreError when the database cannot be read."""
    try:
        async with database.reading() as tx:
            found: str | None = await tx.scalar(text("SELECT version_num FROM alembic_version"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"{database.describe()} is no database of Agon: {cause}") from error
    if found != newest():
        raise OtherSchema(
            f"{database.describe()} has the schema {found}, this program wants {newest()}: "
            "start `agon serve` of this version once, or use the program that it runs with"
        )


async def probe(database: Database) -> None:
    """Write something that changes nothing, as everything that matters must be written. Raises OtherSchema,
    and what the database raises."""
    statement = text(
        "UPDATE alembic_version SET version_num = version_num WHERE version_num = :new"
    )
    async with database.writing() as tx:
        written = await tx.execute(statement, {"new": newest()})
    if written.rowcount != 1:
        raise OtherSchema(f"{database.describe()} has not the schema {newest()}")
