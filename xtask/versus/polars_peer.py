"""The feature transform of `crates/features/examples/versus_polars.rs`, written with polars expressions.

    python polars_peer.py FILE                  for each line on standard input transform once, answer one JSON line
    python polars_peer.py FILE --write FOLDER   transform once and write every column, to be compared value by value

Needs `polars` and `polars-hash` (XXH3 as an expression, so that buckets agree). Threads: POLARS_MAX_THREADS.
What the fit learns (vocabularies, means, quantiles) is learnt once, before the first line. A vocabulary is
a cast to `Enum`; with the word `replace` behind FILE it is `replace_strict`, and with `streaming` the streaming engine
collects.
"""

import json
import math
import sys
import time
from pathlib import Path

import polars as pl
import polars_hash  # noqa: F401  (registers the namespace `nchash`)

OOV = 64
AGES = [18.0, 25.0, 35.0, 45.0, 55.0, 65.0]
BUCKETS = 100_000


def vocabulary(values: pl.Series, min_count: int = 1) -> list[str]:
    """By falling number of rows, ties by word."""
    counts = values.drop_nulls().rename("word").value_counts(name="rows")
    counts = counts.filter(pl.col("rows") >= min_count)
    return counts.sort(["rows", "word"], descending=[True, False])["word"].to_list()


class Fit:
    def __init__(self, raw: pl.DataFrame, lookup: str):
        self.lookup = lookup
        self.user = vocabulary(raw["user"], 2)
        self.item = vocabulary(raw["item"], 2)
        self.city = vocabulary(raw["city"])
        self.device = vocabulary(raw["device"])
        # How many rows have a tag: a row that repeats one counts once.
        self.tags = vocabulary(raw["tags"].list.unique().explode())
        age = raw["age"].drop_nulls().cast(pl.Float64)
        price = raw["price"].cast(pl.Float64)
        log = price.log1p()
        self.age = (age.mean(), age.std(ddof=0))
        self.log_price = (log.mean(), log.std(ddof=0))
        self.span = (price.min(), price.max() - price.min())
        ordered = price.sort()
        edges = [ordered[len(ordered) * bucket // 20] for bucket in range(1, 20)]
        self.bands = sorted(set(edges))
        turn = [math.tau * month / 12 for month in range(12)]
        self.circle = [pl.Series([f(t) for t in turn], dtype=pl.Float32) for f in (math.sin, math.cos)]

    def ids(self, name: str, words: list[str]) -> pl.Expr:
        column = pl.col(name)
        if self.lookup == "replace":
            order = pl.Series(range(len(words)), dtype=pl.UInt32)
            return column.replace_strict(words, order, default=None, return_dtype=pl.UInt32)
        return column.cast(pl.Enum(words), strict=False).to_physical().cast(pl.UInt32)

    def with_buckets(self, name: str, words: list[str]) -> pl.Expr:
        bucket = (pl.col(name).nchash.xxh3_64() % OOV + len(words)).cast(pl.UInt32)
        return pl.coalesce(self.ids(name, words), bucket)

    def plan(self, raw: pl.DataFrame) -> pl.LazyFrame:
        age = pl.col("age").cast(pl.Float64)
        price = pl.col("price").cast(pl.Float64)
        log = price.log1p()
        local = pl.col("time").dt.offset_by("2h")
        month = pl.col("time").dt.month() - 1
        hour = local.dt.hour().cast(pl.UInt32)
        tags = pl.col("tags").cast(pl.List(pl.Enum(self.tags))).list.eval(pl.element().to_physical())
        tags = tags.list.unique(maintain_order=True).list.head(5)
        age_group = (
            pl.when(pl.col("age").is_null())
            .then(len(AGES) + 1)
            .otherwise(pl.lit(pl.Series(AGES)).search_sorted(age, side="right"))
            .cast(pl.UInt32)
        )
        hashed = [
            (pl.col("user").nchash.xxh3_64(seed=seed) % BUCKETS).cast(pl.UInt32).alias(f"user_hash_{seed}")
            for seed in range(2)
        ]
        scaled = [
            ((age - self.age[0]) / self.age[1]).clip(-10, 10).fill_null(0).cast(pl.Float32).alias("age"),
            pl.col("age").is_null().cast(pl.Float32).alias("age_missing"),
            log.cast(pl.Float32).alias("price"),
            ((log - self.log_price[0]) / self.log_price[1]).clip(-10, 10).cast(pl.Float32).alias("price_z"),
            ((price - self.span[0]) / self.span[1]).clip(0, 1).cast(pl.Float32).alias("price_span"),
        ]
        city, device = self.ids("city", self.city), self.ids("device", self.device)
        return raw.lazy().select(
            self.with_buckets("user", self.user).alias("user"),
            self.with_buckets("item", self.item).alias("item"),
            city.alias("city"),
            device.alias("device"),
            *hashed,
            *scaled,
            age_group.alias("age_group"),
            pl.lit(pl.Series(self.bands)).search_sorted(price, side="right").cast(pl.UInt32).alias("price_band"),
            tags.alias("tags"),
            (1.0 / tags.list.len()).cast(pl.Float32).alias("tags_weight"),
            hour.alias("hour"),
            (local.dt.weekday() - 1).cast(pl.UInt32).alias("weekday"),
            pl.lit(self.circle[0]).gather(month).alias("month_sin"),
            pl.lit(self.circle[1]).gather(month).alias("month_cos"),
            (city * (len(self.device) + 1) + device).cast(pl.UInt32).alias("city_device"),
            (age_group * 25 + hour).cast(pl.UInt32).alias("age_hour"),
        )


IDS = ["user", "item", "city", "device", "user_hash_0", "user_hash_1", "age_group", "price_band", "hour", "weekday",
       "city_device", "age_hour"]


def checksum(out: pl.DataFrame) -> int:
    """The sum of all ids, each plus one."""
    total = sum(int(out[name].drop_nulls().cast(pl.UInt64).sum()) + out[name].count() for name in IDS)
    flat = out["tags"].explode().drop_nulls().cast(pl.UInt64)
    return total + int(flat.sum()) + len(flat)


def write(out: pl.DataFrame, folder: Path) -> None:
    """Every feature as `NAME.parquet`, its entries one after the other, and for ids `NAME.len.parquet`."""
    folder.mkdir(parents=True, exist_ok=True)

    def put(name: str, values: pl.Series) -> None:
        values.rename("value").to_frame().write_parquet(folder / f"{name}.parquet")

    def together(*names: str) -> pl.Series:
        return out.select(pl.concat_list(names)).to_series().explode()

    for name in IDS:
        if not name.startswith("user_hash"):
            put(name, out[name].drop_nulls())
            put(f"{name}.len", out[name].is_not_null().cast(pl.UInt32))
    put("user_hash", together("user_hash_0", "user_hash_1"))
    put("user_hash.len", pl.repeat(2, len(out), dtype=pl.UInt32, eager=True))
    put("tags", out["tags"].explode().drop_nulls())
    put("tags.len", out["tags"].list.len())
    put("tags.weight", out.filter(pl.col("tags").list.len() > 0)["tags_weight"])
    put("age", together("age", "age_missing"))
    put("month", together("month_sin", "month_cos"))
    for name in ["price", "price_z", "price_span"]:
        put(name, out[name])


def main() -> None:
    file, rest = Path(sys.argv[1]), sys.argv[2:]
    if file.is_dir():
        file = file / "raw.parquet"
    raw = pl.read_parquet(file)
    plan = Fit(raw, "replace" if "replace" in rest else "enum").plan(raw)
    engine = "streaming" if "streaming" in rest else "auto"
    if "--write" in rest:
        write(plan.collect(engine=engine), Path(rest[rest.index("--write") + 1]))
        return
    for _ in sys.stdin:
        start = time.perf_counter()
        out = plan.collect(engine=engine)
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "rows": len(out), "quality": {"checksum": checksum(out)}}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
