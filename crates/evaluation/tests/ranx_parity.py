"""Recall, NDCG, hit rate, MRR and precision by ranx (Bassani 2022), to compare ours with.

    python -m venv /tmp/ranx && /tmp/ranx/bin/pip install ranx==0.3.21 pyarrow

Make the fixtures of `tests/it/ranx_parity.rs` again (beside this file, in `ranx/`):

    /tmp/ranx/bin/python crates/evaluation/tests/ranx_parity.py make

The same on a real run: LISTS is a `candidates.parquet` of one channel, HELD_OUT a CSV with a header and the columns
`user_id,item_id` (an item that must not count, being no item of the catalogue, is left in: it is a miss for both).

    cargo run -p catchment-evaluation --example judge_lists -- LISTS HELD_OUT > ours.csv
    /tmp/ranx/bin/python crates/evaluation/tests/ranx_parity.py compare LISTS HELD_OUT ours.csv

`compare` prints both values of every metric and exits with 1 where any two differ by more than 1e-6.
"""

import csv
import random
import sys
from collections import defaultdict
from pathlib import Path

from ranx import Qrels, Run, evaluate

HERE = Path(__file__).parent / "ranx"
KS = [1, 5, 10, 20, 50]
# Ours and theirs.
METRICS = {"recall": "recall", "ndcg": "ndcg", "hit_rate": "hit_rate", "mrr": "mrr", "precision": "precision"}
N_USERS, N_ITEMS = 240, 600


def judge(truth, lists, names):
    """Means over the users of `truth`; a user without a list has an empty one."""
    qrels = Qrels({user: {item: 1 for item in items} for user, items in truth.items()})
    run = Run({u: {item: float(-rank) for rank, item in enumerate(lists[u])} for u in truth if lists.get(u)})
    theirs = {name: METRICS[name.split("@")[0]] + "@" + name.split("@")[1] for name in names}
    values = evaluate(qrels, run, list(theirs.values()), make_comparable=True)
    return {name: float(values[their]) for name, their in theirs.items()}


def make():
    rng = random.Random(20)
    popularity = [1.0 / (rank + 5) for rank in range(N_ITEMS)]

    def draw(n, liked):
        weights = [p * (8.0 if item % 7 == liked else 1.0) for item, p in enumerate(popularity)]
        chosen = []
        while len(chosen) < n:
            item = rng.choices(range(N_ITEMS), weights)[0]
            if item not in chosen:
                chosen.append(item)
        return [f"i{item}" for item in chosen]

    truth, lists = {}, {}
    for user in range(N_USERS):
        liked = rng.randrange(7)
        held_out = draw(rng.choice([1, 1, 2, 3, 5, 12, 60]), liked)
        if user % 9 == 0:
            held_out.append(f"cold{user % 5}")  # in no catalogue: a miss for everybody
        truth[f"u{user}"] = held_out
        if user % 40 == 3:
            continue  # no list at all
        listed = draw(rng.choice([50, 50, 50, 30, 4]), liked)
        if user % 11 == 0:
            listed[rng.randrange(len(listed))] = f"peer{user % 3}"  # an item that only the list's maker knows
        lists[f"u{user}"] = listed
    HERE.mkdir(exist_ok=True)
    for name, rows in (("held_out", truth), ("lists", lists)):
        lines = [",".join([user, *items]) for user, items in rows.items()]
        (HERE / f"{name}.csv").write_text("\n".join(lines) + "\n")
    names = [f"{metric}@{k}" for metric in METRICS for k in KS]
    values = judge(truth, lists, names)
    (HERE / "values.csv").write_text("".join(f"{name},{values[name]!r}\n" for name in names))


def compare(lists_path, held_out_path, ours_path):
    import pyarrow.parquet

    truth, ranked = defaultdict(list), defaultdict(list)
    with open(held_out_path, newline="") as file:
        for row in csv.DictReader(file):
            truth[row["user_id"]].append(row["item_id"])
    columns = pyarrow.parquet.read_table(lists_path, columns=["user_id", "item_id", "rank"]).to_pydict()
    for user, item, rank in zip(columns["user_id"], columns["item_id"], columns["rank"]):
        ranked[user].append((rank, item))
    lists = {user: [item for _, item in sorted(rows)] for user, rows in ranked.items()}
    ours = {name: float(value) for name, value in csv.reader(open(ours_path, newline=""))}
    theirs = judge(truth, lists, list(ours))
    for name, value in ours.items():
        print(f"{name:14} ours {value:.9f}  ranx {theirs[name]:.9f}  difference {abs(value - theirs[name]):.1e}")
    worst = max(abs(value - theirs[name]) for name, value in ours.items())
    print(f"largest difference {worst:.1e} over {len(truth)} users")
    return int(worst > 1e-6)


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) == 5:
        sys.exit(compare(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
