"""AUC and log loss by scikit-learn: the fixtures of `tests/it/sklearn_parity.rs`, beside this file in `sklearn/`.

    python -m venv /tmp/sklearn && /tmp/sklearn/bin/pip install scikit-learn==1.9.1
    /tmp/sklearn/bin/python crates/evaluation/tests/sklearn_parity.py

`rows.csv` has a label and a probability a line: many ties, and some probabilities of exactly 0 and 1.
"""

import random
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

HERE = Path(__file__).parent / "sklearn"


def main():
    rng = random.Random(20)
    rows = []
    for row in range(500):
        probability = round(rng.betavariate(0.8, 2.0), 2 if row % 3 else 6)
        rows.append((int(rng.random() < probability), probability))
    rows += [(0, 0.0), (1, 0.0), (1, 1.0), (0, 1.0)]
    HERE.mkdir(exist_ok=True)
    (HERE / "rows.csv").write_text("".join(f"{label},{probability}\n" for label, probability in rows))
    labels = np.array([label for label, _ in rows])
    probabilities = np.array([probability for _, probability in rows], dtype=np.float32)
    values = {"auc": roc_auc_score(labels, probabilities), "logloss": log_loss(labels, probabilities)}
    (HERE / "values.csv").write_text("".join(f"{name},{float(value)!r}\n" for name, value in values.items()))


if __name__ == "__main__":
    main()
