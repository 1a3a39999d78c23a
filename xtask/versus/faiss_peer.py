"""Exact top-k by inner product with faiss IndexFlatIP.

faiss_peer.py --make FOLDER SETTINGS   writes items.npy and queries.npy
faiss_peer.py FOLDER SETTINGS          answers each line of its input with one run
"""

import json
import os
import sys
import time

import numpy as np


def make(folder, settings):
    generator = np.random.default_rng(7)
    for name, rows in [("items", settings["items"]), ("queries", settings["queries"])]:
        vectors = generator.standard_normal((rows, settings["dim"]), dtype=np.float32)
        np.save(os.path.join(folder, name + ".npy"), vectors)


def main(folder, settings):
    import faiss

    faiss.omp_set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    items = np.load(os.path.join(folder, "items.npy"))
    queries = np.load(os.path.join(folder, "queries.npy"))
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    for _ in sys.stdin:
        begun = time.perf_counter()
        scores, found = index.search(queries, settings["k"])
        seconds = time.perf_counter() - begun
        quality = {"hits": int((found >= 0).sum()), "mean_score": float(scores.astype(np.float64).mean())}
        print(json.dumps({"seconds": seconds, "quality": quality}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        make(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
