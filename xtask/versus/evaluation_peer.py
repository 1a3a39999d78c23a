"""Full-ranking evaluation as it is commonly written: torch matmul and topk in blocks, then ranx.

evaluation_peer.py --make FOLDER SETTINGS   writes the train and test matrices and factors of train (a truncated SVD)
evaluation_peer.py FOLDER SETTINGS          answers each line of its input with one evaluation
"""

import json
import os
import sys
import time

import numpy as np

import gowalla


def make(folder, settings):
    from scipy.sparse.linalg import svds

    train, test = gowalla.read()
    gowalla.save(folder, "train", train)
    gowalla.save(folder, "test", test)
    users, values, items = svds(train, k=settings["dim"], random_state=7)
    np.save(os.path.join(folder, "users.npy"), np.ascontiguousarray(users * values, np.float32))
    np.save(os.path.join(folder, "items.npy"), np.ascontiguousarray(items.T, np.float32))


def main(folder, settings):
    import torch
    from ranx import Qrels, Run, evaluate

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    train, test = gowalla.load(folder, "train"), gowalla.load(folder, "test")
    users = torch.from_numpy(np.load(os.path.join(folder, "users.npy")))
    items = torch.from_numpy(np.load(os.path.join(folder, "items.npy")))
    judged = np.flatnonzero(np.diff(test.indptr))
    ks, longest = settings["ks"], max(settings["ks"])
    names = [f"{metric}@{k}" for metric in ("recall", "ndcg", "hit_rate", "mrr", "precision", "map") for k in ks]
    # The truth is made ready once, outside the measured time, for both.
    relevant = {str(u): {str(i): 1 for i in test.indices[test.indptr[u] : test.indptr[u + 1]]} for u in judged}
    qrels = Qrels(relevant)
    item_names = np.asarray([str(i) for i in range(items.shape[0])])
    for _ in sys.stdin:
        begun = time.perf_counter()
        run = {}
        for start in range(0, len(judged), 512):
            block = judged[start : start + 512]
            scores = users[block] @ items.T
            seen = train[block]
            rows = np.repeat(np.arange(len(block)), np.diff(seen.indptr))
            scores[torch.from_numpy(rows), torch.from_numpy(seen.indices.astype(np.int64))] = -torch.inf
            top = torch.topk(scores, longest, dim=1)
            found, values = item_names[top.indices.numpy()], top.values.numpy()
            for row, user in enumerate(block):
                run[str(user)] = dict(zip(found[row].tolist(), values[row].tolist()))
        measured = evaluate(qrels, Run(run), names, make_comparable=False)
        seconds = time.perf_counter() - begun
        quality = {name: float(value) for name, value in measured.items()}
        print(json.dumps({"seconds": seconds, "quality": quality}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        make(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
