"""Training steps of towers with PyTorch on the processor: tables with sparse gradients, the rest with fused Adam.

torch_peer.py FOLDER SETTINGS    answers each line of its input with `steps` steps more

The input is made by `crates/models/examples/versus_torch.rs --make`: batches, negatives, and the tables and weights that
both sides begin from. Keys of the settings that only this side knows, to try what is fastest:
`tables` is who steps the tables (`lazy`: below, `sparse_adam`: PyTorch's own), `compile` compiles the towers and the loss.
"""

import json
import os
import sys
import time

# Its threads wait for work as they do by themselves, spinning for a while: it is faster so.
for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME"):
    os.environ.pop(name, None)

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class LazyAdam:
    """Adam of the rows that a batch has seen, each corrected by how often it was seen.

    `torch.optim.SparseAdam` moves the same rows, but corrects all by the number of steps: a row that is seen late for the
    first time moves three times as far. This is the rule of the other side, in fewer operations than SparseAdam has.
    """

    def __init__(self, tables, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.tables = tables
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.means = [torch.zeros_like(table) for table in tables]
        self.squares = [torch.zeros_like(table) for table in tables]
        self.counts = [torch.zeros(len(table)) for table in tables]

    def zero_grad(self):
        for table in self.tables:
            table.grad = None

    @torch.no_grad()
    def step(self):
        for table, means, squares, counts in zip(self.tables, self.means, self.squares, self.counts):
            gradient = table.grad.coalesce()
            rows, slopes = gradient.indices()[0], gradient.values()
            count = counts.index_select(0, rows).add_(1.0)
            mean = means.index_select(0, rows).lerp_(slopes, 1.0 - self.beta1)
            square = squares.index_select(0, rows).mul_(self.beta2).addcmul_(slopes, slopes, value=1.0 - self.beta2)
            counts.index_copy_(0, rows, count)
            means.index_copy_(0, rows, mean)
            squares.index_copy_(0, rows, square)
            rate = (-self.rate / (1.0 - self.beta1**count)).unsqueeze(1)
            unbiased = (1.0 / (1.0 - self.beta2**count)).unsqueeze(1)
            mean.mul_(rate).div_(square.mul_(unbiased).sqrt_().add_(self.epsilon))
            table.index_add_(0, rows, mean)


class Reader:
    """Files of numbers."""

    def __init__(self, folder):
        self.folder = folder

    def numbers(self, name, kind):
        return np.fromfile(os.path.join(self.folder, name), dtype=kind)

    def ids(self, name):
        return torch.from_numpy(self.numbers(name + ".u32", "<u4").astype(np.int64))

    def floats(self, name):
        return torch.from_numpy(self.numbers(name + ".f32", "<f4"))

    def table(self, place, dim):
        return nn.Parameter(self.floats(f"table_{place}").view(-1, dim))

    def tower(self, side, width, layers):
        parts = []
        for place, outputs in enumerate(layers):
            linear = nn.Linear(width, outputs)
            with torch.no_grad():
                linear.weight.copy_(self.floats(f"{side}_{place}").view(width, outputs).t())
                linear.bias.zero_()
            parts += [linear, nn.ReLU()]
            width = outputs
        return nn.Sequential(*parts[:-1])


def batches(reader, settings):
    """Of each batch: users, labels, history and where each one's begins, and what a loss subtracts."""
    size = settings["batch"]
    users, labels, lengths = (reader.ids(name).view(-1, size) for name in ["users", "labels", "lengths"])
    logs = reader.floats("label_logs").view(-1, size)
    histories = reader.ids("history").split(lengths.sum(1).tolist())
    ends = lengths.cumsum(1)
    return list(zip(users, labels, histories, ends - lengths, logs))


class YoutubeDnn(nn.Module):
    """A history's mean through the layers, against a sampled softmax over a table of its own."""

    def __init__(self, reader, settings):
        super().__init__()
        dim = settings["dim"]
        self.history, self.softmax = reader.table(0, dim), reader.table(1, dim)
        self.tower = reader.tower("query", dim, settings["layers"])
        negatives = reader.ids("negatives").view(-1, settings["negatives"])
        self.negatives = list(zip(negatives, reader.floats("negative_logs").view(-1, settings["negatives"])))
        self.temperature = settings["temperature"]
        self.turn = 0
        self.meet = torch.compile(self.loss) if settings.get("compile") else self.loss

    def tables(self):
        return [self.history, self.softmax]

    def forward(self, batch):
        _, labels, history, offsets, logs = batch
        negatives, negative_logs = self.negatives[self.turn]
        self.turn = (self.turn + 1) % len(self.negatives)
        pooled = F.embedding_bag(history, self.history, offsets, mode="mean", sparse=True)
        rows = F.embedding(torch.cat([labels, negatives]), self.softmax, sparse=True)
        return self.meet(pooled, rows, labels, negatives, logs, negative_logs)

    def loss(self, pooled, rows, labels, negatives, logs, negative_logs):
        users = self.tower(pooled)
        own, others = rows.split([len(labels), len(negatives)])
        own = (users * own).sum(1, keepdim=True) / self.temperature - logs.unsqueeze(1)
        others = torch.addmm(-negative_logs, users, others.t(), alpha=1.0 / self.temperature)
        others = others.masked_fill(labels.unsqueeze(1) == negatives, -torch.inf)
        logits = torch.cat([own, others], 1)
        return F.cross_entropy(logits, torch.zeros_like(labels))


class TwoTower(nn.Module):
    """Users (their row and the mean of their history's items) against the items of the batch."""

    def __init__(self, reader, settings):
        super().__init__()
        dim = settings["dim"]
        self.items, self.users = reader.table(0, dim), reader.table(1, dim)
        self.query = reader.tower("query", 2 * dim, settings["layers"])
        self.item = reader.tower("item", dim, settings["layers"])
        self.temperature = settings["temperature"]
        self.meet = torch.compile(self.loss) if settings.get("compile") else self.loss
        self.own = torch.arange(settings["batch"])

    def tables(self):
        return [self.items, self.users]

    def forward(self, batch):
        users, labels, history, offsets, logs = batch
        user = F.embedding(users, self.users, sparse=True)
        pooled = F.embedding_bag(history, self.items, offsets, mode="mean", sparse=True)
        item = F.embedding(labels, self.items, sparse=True)
        return self.meet(user, pooled, item, labels, logs)

    def loss(self, user, pooled, item, labels, logs):
        queries = F.normalize(self.query(torch.cat([user, pooled], 1)))
        items = F.normalize(self.item(item))
        logits = torch.addmm(-logs, queries, items.t(), alpha=1.0 / self.temperature)
        other = labels.unsqueeze(1) == labels
        other.fill_diagonal_(False)
        return F.cross_entropy(logits.masked_fill(other, -torch.inf), self.own)


MODELS = {"youtube_dnn": YoutubeDnn, "two_tower": TwoTower}


def main(folder, settings):
    torch.set_num_threads(settings["threads"])
    reader = Reader(folder)
    model = MODELS[settings["model"]](reader, settings)
    rate = settings["learning_rate"]
    tables = model.tables()
    dense = [weights for weights in model.parameters() if all(weights is not table for table in tables)]
    dense = torch.optim.Adam(dense, rate, fused=True)
    if settings.get("tables", "lazy") == "lazy":
        sparse = LazyAdam(tables, rate)
    else:
        sparse = torch.optim.SparseAdam(tables, rate)
    examples = batches(reader, settings)
    turn = 0
    for _ in sys.stdin:
        total = last = 0.0
        begun = time.perf_counter()
        for _ in range(settings["steps"]):
            dense.zero_grad()
            sparse.zero_grad()
            loss = model(examples[turn])
            loss.backward()
            dense.step()
            sparse.step()
            turn = (turn + 1) % len(examples)
            last = loss.item()
            total += last
        seconds = time.perf_counter() - begun
        quality = {"loss": total / settings["steps"], "last_loss": last}
        answer = {"seconds": seconds, "examples": settings["steps"] * settings["batch"], "quality": quality}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
