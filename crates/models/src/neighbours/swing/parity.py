"""Writes parity.json: Swing on a small log, by its definition: every pair of items, every pair of users.

python3 parity.py > parity.json
"""

import json
import math
from itertools import combinations

N_USERS, N_ITEMS, ALPHA = 17, 11, 0.5

state = 11


def random_below(n):
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return (state >> 8) % n


# A log with repeated pairs, which count once; low item numbers are more frequent; item 10 has no user.
log = [(random_below(N_USERS), min(random_below(10), random_below(10))) for _ in range(110)]

items_of = {user: {i for u, i in log if u == user} for user in range(N_USERS)}
users_of = {item: {u for u, i in log if i == item} for item in range(N_ITEMS)}


def swing(i, j, weigh):
    if i == j:
        return 0.0
    total = 0.0
    for u, v in combinations(sorted(users_of[i] & users_of[j]), 2):
        weight = 1 / math.sqrt(len(items_of[u]) * len(items_of[v])) if weigh else 1.0
        total += weight / (ALPHA + len(items_of[u] & items_of[v]))
    return total


print(
    json.dumps(
        {
            "n_users": N_USERS,
            "n_items": N_ITEMS,
            "alpha": ALPHA,
            "log": log,
            "weighted": [[swing(i, j, True) for j in range(N_ITEMS)] for i in range(N_ITEMS)],
            "plain": [[swing(i, j, False) for j in range(N_ITEMS)] for i in range(N_ITEMS)],
        }
    )
)
