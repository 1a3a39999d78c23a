"""MAP, coverage, Gini, novelty, popularity lifts, segments, attribution, GAUC, calibration error and the exact sign-flip
p-value, written from their definitions with numpy alone: the fixtures of `tests/it/numpy_parity.rs`, beside this file
in `numpy/`.

    python -m venv /tmp/numpy && /tmp/numpy/bin/pip install numpy
    /tmp/numpy/bin/python crates/evaluation/tests/numpy_parity.py

`lists.csv`: channel, user, items in order. `seen.csv`, `held_out.csv`: user, items. `impressions.csv`: user, label,
probability. `values.csv`: name, value.
"""

import itertools
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent / "numpy"
N_USERS, N_ITEMS, KS = 80, 120, [5, 20]
CHANNELS = ["near", "far", "popular"]


def main():
    rng = np.random.default_rng(4)
    weights = 1.0 / (np.arange(N_ITEMS) + 4)
    rng.shuffle(weights)
    draw = lambda n, w: rng.choice(N_ITEMS, n, replace=False, p=w / w.sum()).tolist()
    taste = lambda u: weights * np.where(np.arange(N_ITEMS) % 5 == u % 5, 6.0, 1.0)
    seen = [draw(rng.choice([3, 8, 30]), taste(u)) if u % 13 else [] for u in range(N_USERS)]
    held_out = []
    for user in range(N_USERS):
        items = draw(rng.choice([1, 2, 6]), taste(user))
        held_out.append(items + ([N_ITEMS + user % 3] if user % 7 == 0 else []))  # in no vocabulary
    lists = {"near": [], "far": [], "popular": []}
    order = np.argsort(-weights).tolist()
    for user in range(N_USERS):
        lists["near"].append(draw(20, taste(user)))
        lists["far"].append(draw(rng.choice([4, 20]), weights) if user % 11 else [])
        lists["popular"].append([i for i in order if i not in seen[user]][:20])
    for user in range(0, N_USERS, 17):
        lists["near"][user][1] = N_ITEMS + 7  # an item that only the list's maker knows

    values = {}
    popularity = np.zeros(N_ITEMS)
    for items in seen:
        popularity[items] += 1
    n_known = sum(1 for items in seen if items)
    information = np.log2(n_known / np.maximum(popularity, 1))
    known = lambda items: [i for i in items if i < N_ITEMS]

    for channel in CHANNELS:
        for k in KS:
            precisions = []
            for user, relevant in enumerate(held_out):
                hits = np.array([i in known(relevant) for i in lists[channel][user][:k]], dtype=float)
                ranks = np.arange(1, len(hits) + 1)
                precisions.append(np.sum(hits * np.cumsum(hits) / ranks) / min(k, len(relevant)))
            values[f"{channel}/map@{k}"] = np.mean(precisions)
            shown = [known(items[:k]) for items in lists[channel]]
            counts = np.zeros(N_ITEMS)
            for items in shown:
                counts[items] += 1
            values[f"{channel}/coverage@{k}"] = np.mean(counts > 0)
            # The mean absolute difference of all pairs, over twice the mean; then scaled to reach 1.
            pairs = np.abs(counts[:, None] - counts[None, :]).mean()
            values[f"{channel}/gini@{k}"] = pairs / (2 * counts.mean()) * N_ITEMS / (N_ITEMS - 1)
            values[f"{channel}/novelty@{k}"] = np.mean([information[items].mean() for items in shown if items])
            for name, others in (("popularity_lift", seen), ("popularity_vs_held_out", held_out)):
                both = [(a, known(b)) for a, b in zip(shown, others) if a and known(b)]
                ours = np.mean([popularity[a].mean() for a, _ in both])
                values[f"{channel}/{name}@{k}"] = ours / np.mean([popularity[b].mean() for _, b in both])

    # Segments of `near` at 20: by popularity decile of the held-out item, by history length.
    decile = np.empty(N_ITEMS, dtype=int)
    decile[np.lexsort((np.arange(N_ITEMS), -popularity))] = np.arange(N_ITEMS) * 10 // N_ITEMS
    for d in range(11):
        recalls = []
        for user, relevant in enumerate(held_out):
            here = [i for i in relevant if (d == 10 if i >= N_ITEMS else decile[i] == d)]
            if here:
                top = lists["near"][user][:20]
                recalls.append(sum(i < N_ITEMS and i in top for i in here) / len(here))
        if recalls:
            label = {0: "1 (most popular)", 9: "10 (least popular)", 10: "cold"}.get(d, str(d + 1))
            values[f"segment/{label}"] = np.mean(recalls)
            values[f"error/{label}"] = np.std(recalls, ddof=1) / np.sqrt(len(recalls))
    for label, low, high in (("0 items", 0, 0), ("1–4 items", 1, 4), ("5–9 items", 5, 9), ("20–49 items", 20, 49)):
        users = [u for u in range(N_USERS) if low <= len(seen[u]) <= high]
        hits = [len(set(known(held_out[u])) & set(lists["near"][u][:20])) / len(held_out[u]) for u in users]
        values[f"segment/{label}"] = np.mean(hits)

    # Attribution at 20.
    tops = {c: [set(items[:20]) for items in lists[c]] for c in CHANNELS}
    recall = lambda cs: np.mean(
        [len(set(known(r)) & set().union(*[tops[c][u] for c in cs])) / len(r) for u, r in enumerate(held_out)]
    )
    for a, b in itertools.combinations(CHANNELS, 2):
        pairs = [(x, y) for x, y in zip(tops[a], tops[b]) if x or y]
        values[f"overlap/{a}/{b}"] = np.mean([len(x & y) / len(x | y) for x, y in pairs])
    values["union"] = recall(CHANNELS)
    for c in CHANNELS:
        others = [o for o in CHANNELS if o != c]
        values[f"alone/{c}"], values[f"without/{c}"] = recall([c]), recall(others)
        hits = [(u, i) for u, r in enumerate(held_out) for i in known(r) if i in tops[c][u]]
        values[f"hits/{c}"] = len(hits)
        values[f"unique/{c}"] = sum(all(i not in tops[o][u] for o in others) for u, i in hits)

    # Impressions: GAUC, and the calibration error in 10 bins of equal mass (probabilities are all different).
    impressions = []
    for row in range(600):
        probability = np.float32((row * 577 % 600 + 0.5) / 600)
        user = int(rng.integers(25))
        impressions.append((user, int(rng.random() < (0.0 if user == 3 else probability**1.5)), probability))
    users, labels, probabilities = (np.array(column) for column in zip(*impressions))
    total = weight = left = 0.0
    for user in np.unique(users):
        mine = users == user
        positive, negative = probabilities[mine & (labels == 1)], probabilities[mine & (labels == 0)]
        if not len(positive) or not len(negative):
            left += 1
            continue
        wins = (positive[:, None] > negative[None, :]).mean() + (positive[:, None] == negative[None, :]).mean() / 2
        total, weight = total + mine.sum() * wins, weight + mine.sum()
    values["gauc"], values["gauc_left_out"] = total / weight, left
    bins = np.array_split(np.argsort(probabilities), 10)
    values["ece"] = sum(len(b) / 600 * abs(labels[b].mean() - probabilities[b].astype(float).mean()) for b in bins)

    # The exact p-value of a sign flip, over all signs of 12 differences.
    differences = np.round(rng.normal(0.12, 0.3, 12) * 64) / 64
    signs = np.array(list(itertools.product([-1, 1], repeat=12)))
    values["p_value"] = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12)

    HERE.mkdir(exist_ok=True)
    row = lambda cells: ",".join(str(cell) for cell in cells)
    write = lambda name, rows: (HERE / name).write_text("".join(row(cells) + "\n" for cells in rows))
    write("lists.csv", [[c, u, *lists[c][u]] for c in CHANNELS for u in range(N_USERS)])
    write("seen.csv", [[u, *items] for u, items in enumerate(seen)])
    write("held_out.csv", [[u, *items] for u, items in enumerate(held_out)])
    write("impressions.csv", impressions)
    write("differences.csv", [differences.tolist()])
    write("values.csv", [(name, repr(float(value))) for name, value in values.items()])


if __name__ == "__main__":
    main()
