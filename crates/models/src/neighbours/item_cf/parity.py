"""Writes parity.json: item-based CF on a small log, by dense matrices and without a thought for speed.

python3 parity.py > parity.json
"""

import json
import math

N_USERS, N_ITEMS, NEIGHBOURS = 13, 9, 4

state = 7


def random_below(n):
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return (state >> 8) % n


# A log with repeated pairs, which count once; low item numbers are more frequent; item 8 has no user.
log = [(random_below(N_USERS), min(random_below(8), random_below(8))) for _ in range(60)]

r = [[0.0] * N_ITEMS for _ in range(N_USERS)]
for user, item in log:
    r[user][item] = 1.0
n = [sum(r[u][i] for u in range(N_USERS)) for i in range(N_ITEMS)]
m = [n[i] / N_USERS for i in range(N_ITEMS)]


def cosine(i, j):
    both = sum(r[u][i] * r[u][j] for u in range(N_USERS))
    return 0.0 if i == j or both == 0 else both / math.sqrt(n[i] * n[j])


weights = [[cosine(i, j) for j in range(N_ITEMS)] for i in range(N_ITEMS)]
for row in weights:
    # Equal similarities are decided by item number; rounding makes equal ones equal.
    kept = sorted(range(N_ITEMS), key=lambda j: (-round(row[j], 9), j))[:NEIGHBOURS]
    total = sum(row[j] for j in kept)
    for j in range(N_ITEMS):
        row[j] = row[j] / total if j in kept and total > 0 else 0.0

scores = [
    [sum(weights[i][j] * (r[u][j] - m[j]) for j in range(N_ITEMS)) + m[i] for i in range(N_ITEMS)]
    for u in range(N_USERS)
]
print(
    json.dumps(
        {
            "n_users": N_USERS,
            "n_items": N_ITEMS,
            "neighbours": NEIGHBOURS,
            "log": log,
            "scores": [[round(x, 9) for x in row] for row in scores],
        }
    )
)
