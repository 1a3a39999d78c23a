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
