"""Writes parity.json: FTRL-Proximal on a small case, by its definition and not by its recursion.

For each row every active weight is found as the minimiser of the regularised sum over *all* gradients and
weights so far (McMahan et al. 2013, section 3.1),

    f(w) = sum_s g_s w + 1/2 sum_s sigma_s (w - w_s)^2 + l1 |w| + 1/2 l2 w^2,

by bisection on its slope, where sum_{s<=t} sigma_s = (beta + sqrt(sum_{s<=t} g_s^2)) / alpha and the first sigma
belongs to the weight 0. Nothing is carried over but the two lists. Only the standard library is needed:

    python3 parity.py > parity.json
"""

import json
import math
import random

ALPHA, BETA, L1, L2, EPOCHS, FEATURES = 0.3, 0.5, 2.5, 0.7, 2, 9


def minimiser(history, l1, l2):
    """The weight that minimises f, given [(g_s, w_s)] of one coordinate."""
    if not history:
        return 0.0
    squares, before, terms = 0.0, 0.0, []
    for number, (gradient, weight) in enumerate(history):
        squares += gradient * gradient
        total = (BETA + math.sqrt(squares)) / ALPHA
        terms.append((total - before, weight if number else 0.0))
        before = total

    def slope(w, side):
        smooth = sum(g for g, _ in history) + sum(sigma * (w - at) for sigma, at in terms) + l2 * w
        return smooth + l1 * side

    if slope(0.0, 1.0) >= 0.0 >= slope(0.0, -1.0):
        return 0.0
    side = 1.0 if slope(0.0, 1.0) < 0.0 else -1.0
    low, high = (0.0, 1e3) if side > 0 else (-1e3, 0.0)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle, side) < 0.0 else (low, middle)
    return (low + high) / 2


def main():
    draw = random.Random(20130811)
    truth = [draw.gauss(0, 1.5) if index % 3 else 0.0 for index in range(FEATURES)]
    rows, labels, weights = [], [], []
    for _ in range(40):
        active = sorted(draw.sample(range(FEATURES), draw.randint(0, 4)))
        row = [[index, draw.randint(-16, 16) / 8] for index in active]
        logit = -0.3 + sum(truth[index] * value for index, value in row)
        rows.append(row)
        labels.append(1.0 if draw.random() < 1 / (1 + math.exp(-logit)) else 0.0)
        weights.append(draw.choice([0.5, 1.0, 2.0]))
    histories, bias_history, losses = [[] for _ in range(FEATURES)], [], []
    for _ in range(EPOCHS):
        total = 0.0
        for row, label, weight in zip(rows, labels, weights):
            bias = minimiser(bias_history, 0.0, 0.0)
            active = [minimiser(histories[index], L1, L2) for index, _ in row]
            logit = bias + sum(w * value for w, (_, value) in zip(active, row))
            p = 1 / (1 + math.exp(-logit))
            total -= weight * (label * math.log(p) + (1 - label) * math.log(1 - p))
            slope = weight * (p - label)
            bias_history.append((slope, bias))
            for w, (index, value) in zip(active, row):
                histories[index].append((slope * value, w))
        losses.append(total / sum(weights))
    print(json.dumps({
        "alpha": ALPHA, "beta": BETA, "l1": L1, "l2": L2, "epochs": EPOCHS,
        "rows": rows, "labels": labels, "weights": weights,
        "train_logloss": losses,
        "expected_weights": [minimiser(history, L1, L2) for history in histories],
        "expected_bias": minimiser(bias_history, 0.0, 0.0),
    }))


main()
