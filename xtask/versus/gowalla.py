"""Gowalla in the split of NGCF and LightGCN as CSR matrices, found through CATCHMENT_DATA."""

import gzip
import os
import sys

import numpy as np
from scipy.sparse import csr_matrix


def read():
    """Train and test as (users, items) matrices of ones, indices sorted."""
    data = os.environ.get("CATCHMENT_DATA")
    if not data:
        sys.exit("set CATCHMENT_DATA to the folder that holds gowalla/ (`cargo xtask data gowalla` says where to get it)")
    lists = {part: _lists(os.path.join(data, "gowalla", part + ".txt.gz")) for part in ("train", "test")}
    n_users = 1 + max(user for part in lists.values() for user, _ in part)
    n_items = 1 + max(item for part in lists.values() for _, items in part for item in items)
    return tuple(_matrix(lists[part], n_users, n_items) for part in ("train", "test"))


def _lists(path):
    with gzip.open(path, "rt") as lines:
        numbers = (list(map(int, line.split())) for line in lines)
        return [(row[0], row[1:]) for row in numbers if row]


def _matrix(lists, n_users, n_items):
    rows = np.concatenate([np.full(len(items), user) for user, items in lists])
    columns = np.concatenate([np.asarray(items) for _, items in lists])
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(n_users, n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def save(folder, name, matrix):
    """NAME_indptr.npy (int64), NAME_indices.npy (int32) and NAME_data.npy (float32)."""
    np.save(os.path.join(folder, name + "_indptr.npy"), matrix.indptr.astype(np.int64))
    np.save(os.path.join(folder, name + "_indices.npy"), matrix.indices.astype(np.int32))
    np.save(os.path.join(folder, name + "_data.npy"), matrix.data.astype(np.float32))
    np.save(os.path.join(folder, name + "_shape.npy"), np.asarray(matrix.shape, np.int64))


def load(folder, name):
    parts = [np.load(os.path.join(folder, f"{name}_{part}.npy")) for part in ("indptr", "indices", "shape")]
    indptr, indices, shape = parts
    return csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=tuple(shape))


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
