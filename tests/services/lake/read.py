"""Reads a Parquet file with DuckDB and with pyarrow and prints what each of them sees as JSON, times as microseconds."""
import datetime
import decimal
import json
import sys

import duckdb
import pyarrow
import pyarrow.parquet


def plain(value):
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return value


path = sys.argv[1]
connection = duckdb.connect()
described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)", [path]).fetchall()
names = [row[0] for row in described]
types = [row[1] for row in described]
columns = [f'epoch_us("{name}")' if kind.startswith("TIMESTAMP") else f'"{name}"' for name, kind in zip(names, types)]
rows = connection.execute(f"SELECT {', '.join(columns)} FROM read_parquet(?, hive_partitioning = false)", [path]).fetchall()
by_duckdb = {"types": types, "rows": [[plain(value) for value in row] for row in rows]}

table = pyarrow.parquet.ParquetFile(path).read()
lists = []
for field in table.schema:
    column = table[field.name]
    lists.append((column.cast(pyarrow.int64()) if pyarrow.types.is_timestamp(field.type) else column).to_pylist())
by_arrow = {
    "types": [str(field.type) for field in table.schema],
    "rows": [[plain(value) for value in row] for row in zip(*lists)],
}
print(json.dumps({"duckdb": by_duckdb, "arrow": by_arrow}))
