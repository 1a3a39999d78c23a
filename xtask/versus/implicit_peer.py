"""Alternating least squares by the library implicit, on its CPU path.

implicit_peer.py --make FOLDER SETTINGS   writes the train and test matrices
implicit_peer.py FOLDER SETTINGS          answers each line of its input with one fit
"""

import json
import os
import sys
import time

# As implicit asks for: its own threads solve the rows, and those of OpenBLAS would be in their way.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import gowalla


def main(folder, settings):
    from implicit.als import AlternatingLeastSquares

    train, test = gowalla.load(folder, "train"), gowalla.load(folder, "test")
    threads = int(os.environ["OMP_NUM_THREADS"])
    for _ in sys.stdin:
        model = AlternatingLeastSquares(
            factors=settings["dim"],
            regularization=settings["regularization"],
            alpha=settings["alpha"],
            iterations=settings["sweeps"],
            use_cg=settings.get("solver") == "cg",
            use_gpu=False,
            num_threads=threads,
            random_state=settings["seed"],
        )
        if "cg_steps" in settings:
            model.cg_steps = settings["cg_steps"]
        begun = time.perf_counter()
        model.fit(train, show_progress=False)
        seconds = time.perf_counter() - begun
        quality = gowalla.judge(model.user_factors, model.item_factors, train, test)
        print(json.dumps({"seconds": seconds, "quality": quality}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        for name, matrix in zip(("train", "test"), gowalla.read()):
            gowalla.save(sys.argv[2], name, matrix)
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
