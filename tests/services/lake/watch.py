"""
Reads a folder of Parquet files over and over with DuckDB, or a prefix of a bucket with pyarrow, until a line comes on standard input.
Every look must find files that can be read whole and no id twice, and never fewer rows than the look before. Prints the number
of looks and the rows of the last one; ends with 1 and the reason where a look fails.
"""
import json
import os
import select
import sys

import duckdb
import pyarrow.fs
import pyarrow.parquet

place = sys.argv[1]


def local():
    found = []
    for folder, _, names in os.walk(place):
        if "/_" in folder[len(place):]:
            continue
        found += [os.path.join(folder, name) for name in names if name.endswith(".parquet")]
    if not found:
        return []
    return [row[0] for row in duckdb.execute("SELECT id FROM read_parquet(?, hive_partitioning = false)", [found]).fetchall()]


def remote():
    store = pyarrow.fs.S3FileSystem(
        access_key=os.environ["LAKE_KEY"], secret_key=os.environ["LAKE_SECRET"], endpoint_override=os.environ["LAKE_ENDPOINT"],
        region="us-east-1",
    )
    bucket = place[len("s3://"):]
    selector = pyarrow.fs.FileSelector(bucket, recursive=True, allow_not_found=True)
    names = [info.path for info in store.get_file_info(selector)]
    names = [name for name in names if name.endswith(".parquet") and "/_" not in name]
    ids = []
    for name in names:
        ids += pyarrow.parquet.read_table(name, filesystem=store, columns=["id"], partitioning=None)["id"].to_pylist()
    return ids


looks = 0
before = 0
while True:
    ready, _, _ = select.select([sys.stdin], [], [], 0.02)
    ids = remote() if place.startswith("s3://") else local()
    looks += 1
    if len(set(ids)) != len(ids):
        sys.exit(f"look {looks}: {len(ids)} rows of {len(set(ids))} ids")
    if len(ids) < before:
        sys.exit(f"look {looks}: {len(ids)} rows where there were {before}")
    before = len(ids)
    if ready:
        print(json.dumps({"looks": looks, "ids": sorted(ids)}))
        break
