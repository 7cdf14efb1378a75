"""Many rows at once, inside the session's transaction: a million in seconds on either database."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray
from sqlalchemy import JSON, Boolean, Column, Float, Integer, LargeBinary, String, Table, func, select, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from data.sealed import Sealed, seal_all

ROWS_AT_ONCE = 50_000  # bounds what is copied on the way


def insert(session: Session, table: Table, frame: pd.DataFrame) -> None:
    """
    Insert a frame's rows.

    Parameters
    ----------
    session
        Its transaction holds the rows: they are kept or lost with everything else in it.
    table
        One of `data.tables`.
    frame
        Columns named as the table's; a missing value is NULL, a column left out takes its default.
    """
    frame = frame.assign(**_defaults(table, frame))
    write = _copy if session.get_bind().dialect.name == "postgresql" else _executemany
    for start in range(0, len(frame), ROWS_AT_ONCE):
        write(session, table, frame.iloc[start : start + ROWS_AT_ONCE])


def insert_numbered(session: Session, table: Table, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Insert a frame's rows and return the ids they were given, in the frame's order."""
    ids = reserve(session, table, len(frame))
    insert(session, table, frame.assign(id=ids))
    return ids


def reserve(session: Session, table: Table, count: int) -> NDArray[np.int64]:
    """Return ids that no other row has or will get."""
    if session.get_bind().dialect.name == "postgresql":
        return _reserve_postgresql(session, table, count)
    # The writer's lock is ours from the start of the transaction, so nobody else numbers rows meanwhile.
    last = session.execute(
        text("SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = :name), 0), :last)"),
        {"name": table.name, "last": session.scalar(select(func.coalesce(func.max(table.c.id), 0)))},
    ).scalar_one()
    return np.arange(last + 1, last + 1 + count, dtype=np.int64)


def _reserve_postgresql(session: Session, table: Table, count: int) -> NDArray[np.int64]:
    numbers = (
        "SELECT nextval(pg_get_serial_sequence(:name, 'id')::regclass) AS id FROM generate_series(1, :count)"
    )
    given = {"name": table.name, "count": count}
    span = session.execute(text(f"SELECT min(id), max(id) FROM ({numbers}) AS numbers"), given).one()
    if count and span[1] - span[0] + 1 == count:
        return np.arange(span[0], span[1] + 1, dtype=np.int64)
    # Someone numbered rows of theirs in between; those numbers are let go.
    return np.array(session.execute(text(numbers), given).scalars().all(), dtype=np.int64)


def _defaults(table: Table, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the values of columns the frame leaves out and the table has a default for."""
    values: dict[str, Any] = {}
    for column in table.columns:
        default: Any = column.default
        if column.name in frame.columns or default is None:
            continue
        value = default.arg(None) if callable(default.arg) else default.arg
        values[column.name] = pd.Series([value], dtype=object).repeat(len(frame)).to_numpy()
    return values


def _executemany(session: Session, table: Table, frame: pd.DataFrame) -> None:
    dialect = session.get_bind().dialect
    columns = [table.c[name] for name in frame.columns]
    names = ", ".join(f'"{column.name}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    values = [_values(frame[column.name], column, dialect) for column in columns]
    cursor = _cursor(session)
    cursor.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', zip(*values, strict=True))
    cursor.close()


def _copy(session: Session, table: Table, frame: pd.DataFrame) -> None:
    dialect = session.get_bind().dialect
    columns = [table.c[name] for name in frame.columns]
    names = ", ".join(f'"{column.name}"' for column in columns)
    arrays = [_arrow(frame[column.name], column, dialect) for column in columns]
    rows = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False)  # every text quoted: an empty one is not NULL
    pa.csv.write_csv(pa.Table.from_arrays(arrays, names=list(frame.columns)), rows, options)
    with (
        _cursor(session) as cursor,
        cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT csv)') as copy,
    ):
        copy.write(rows.getbuffer())


def _cursor(session: Session) -> Any:
    return session.connection().connection.cursor()


def _values(series: pd.Series, column: Column[Any], dialect: Dialect) -> list[Any]:
    """Return a column as the driver's own kinds of value, None where one is missing."""
    if isinstance(column.type, Sealed):
        return seal_all(_plain(series))
    if isinstance(column.type, Boolean | Integer | Float | String | LargeBinary):
        return _plain(series)
    if isinstance(column.type, JSON):
        return [None if value is None else json.dumps(value) for value in _plain(series)]
    bind: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return list(_plain(series)) if bind is None else [bind(value) for value in _plain(series)]


def _plain(series: pd.Series) -> list[Any]:
    missing = series.isna().to_numpy()
    if not missing.any():
        plain: list[Any] = series.tolist()
        return plain
    values = series.astype(object).to_numpy(copy=True)
    values[missing] = None
    return list(_native(values)) if series.dtype == object else list(values.tolist())


def _native(values: NDArray[np.object_]) -> Iterator[Any]:
    return (value.item() if isinstance(value, np.generic) else value for value in values.tolist())


_ARROW: tuple[tuple[type[Any], pa.DataType], ...] = (
    (Boolean, pa.bool_()),
    (Integer, pa.int64()),
    (Float, pa.float64()),
    (String, pa.string()),
)


def _arrow(series: pd.Series, column: Column[Any], dialect: Dialect) -> pa.Array:
    """Return a column as an array of the kind that COPY reads, in one piece of work where that can be."""
    kind = next((arrow for of, arrow in _ARROW if isinstance(column.type, of)), None)
    if kind is not None:
        try:
            return pa.array(series, type=kind, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            pass  # values of several kinds: each is turned by itself, below
    return _arrow_of(_values(series, column, dialect), column)


def _arrow_of(values: list[Any], column: Column[Any]) -> pa.Array:
    if isinstance(column.type, Sealed | LargeBinary):
        return pa.array([None if value is None else f"\\x{value.hex()}" for value in values], pa.string())
    if isinstance(column.type, Boolean):
        return pa.array([None if value is None else bool(value) for value in values], pa.bool_())
    if isinstance(column.type, Integer):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    if isinstance(column.type, Float):
        return pa.array(values, pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())
