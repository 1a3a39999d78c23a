"""Alternating least squares by the library implicit, on its CPU path.

implicit_peer.py --make FOLDER SETTINGS   writes the train and test matrices
implicit_peer.py FOLDER SETTINGS          answers each line of its input with one fit
"""

import json
import os
import sys
import time

import numpy as np

import gowalla


def judge(users, items, train, test, k=20):
    """Full ranking, train items removed: mean recall@k and NDCG@k over the users that have test items."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)
    recall, ndcg, judged = 0.0, 0.0, np.flatnonzero(np.diff(test.indptr))
    for start in range(0, len(judged), 512):
        block = judged[start : start + 512]
        scores = users[block] @ items.T
        seen = train[block]
        scores[np.repeat(np.arange(len(block)), np.diff(seen.indptr)), seen.indices] = -np.inf
        top = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
        top = np.take_along_axis(top, order, axis=1)
        for row, user in enumerate(block):
            relevant = test.indices[test.indptr[user] : test.indptr[user + 1]]
            hits = np.isin(top[row], relevant)
            recall += hits.sum() / len(relevant)
            ndcg += discounts[hits].sum() / ideal[min(k, len(relevant)) - 1]
    return {"recall@20": recall / len(judged), "ndcg@20": ndcg / len(judged)}


def main(folder, settings):
    from implicit.als import AlternatingLeastSquares

    train, test = gowalla.load(folder, "train"), gowalla.load(folder, "test")
    threads = int(os.environ["OMP_NUM_THREADS"])
    for _ in sys.stdin:
        model = AlternatingLeastSquares(
            factors=settings["dim"],
            regularization=settings["regularization"],
            alpha=settings["alpha"],
            iterations=settings["sweeps"],
            use_cg=settings.get("solver") == "cg",
            use_gpu=False,
            num_threads=threads,
            random_state=settings["seed"],
        )
        if "cg_steps" in settings:
            model.cg_steps = settings["cg_steps"]
        begun = time.perf_counter()
        model.fit(train, show_progress=False)
        seconds = time.perf_counter() - begun
        quality = judge(model.user_factors, model.item_factors, train, test)
        print(json.dumps({"seconds": seconds, "quality": quality}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        for name, matrix in zip(("train", "test"), gowalla.read()):
            gowalla.save(sys.argv[2], name, matrix)
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
