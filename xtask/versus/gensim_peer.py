"""Skip-gram with negative sampling by gensim.

gensim_peer.py --make FOLDER SETTINGS   writes the train and test matrices, and each user's train items in a drawn order
gensim_peer.py FOLDER SETTINGS          answers each line of its input with one training
"""

import json
import logging
import os
import sys
import time

import numpy as np

import gowalla


def judge(items, train, test):
    """A user is the mean of the directions of the train items; all items are ranked by cosine."""
    norms = np.linalg.norm(items, axis=1, keepdims=True)
    items = items / np.where(norms > 0, norms, 1)
    return gowalla.judge(train @ items, items, train, test)


def main(folder, settings):
    from gensim.models import Word2Vec

    logging.disable(logging.CRITICAL)
    train, test = gowalla.load(folder, "train"), gowalla.load(folder, "test")
    order = np.load(os.path.join(folder, "sentences_indices.npy"))
    # As words: strings, which gensim's vocabulary is made of.
    sentences = [list(map(str, order[a:b])) for a, b in zip(train.indptr, train.indptr[1:]) if b - a > 1]
    lengths = np.array([len(sentence) for sentence in sentences])
    window = settings["window"]
    # Ordered pairs within the window: for each distance d, 2 (n - d) of them.
    pairs = sum(2 * np.maximum(lengths - distance, 0).sum() for distance in range(1, window + 1))
    for _ in sys.stdin:
        begun = time.perf_counter()
        model = Word2Vec(
            sentences=sentences,
            sg=1,
            hs=0,
            vector_size=settings["dim"],
            window=window,
            shrink_windows=False,
            negative=settings["negatives"],
            ns_exponent=0.75,
            sample=0,
            min_count=1,
            epochs=settings["epochs"],
            alpha=settings["learning_rate"],
            min_alpha=0.0001,
            workers=settings["threads"],
            seed=settings["seed"],
            sorted_vocab=0,
        )
        seconds = time.perf_counter() - begun
        items = np.zeros((train.shape[1], settings["dim"]), np.float32)
        items[[int(word) for word in model.wv.index_to_key]] = model.wv.vectors
        quality = judge(items, train, test)
        quality["pairs/s"] = float(pairs * settings["epochs"] / seconds)
        print(json.dumps({"seconds": seconds, "quality": quality}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        train, test = gowalla.read()
        gowalla.save(sys.argv[2], "train", train)
        gowalla.save(sys.argv[2], "test", test)
        # The order within a user is that of item numbers, which means nothing: a drawn one makes windows a fair sample.
        draw = np.random.default_rng(7)
        parts = [draw.permutation(train.indices[a:b]) for a, b in zip(train.indptr, train.indptr[1:])]
        np.save(os.path.join(sys.argv[2], "sentences_indices.npy"), np.concatenate(parts).astype(np.int32))
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
