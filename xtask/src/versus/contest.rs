//! Who is compared, at what.

/// A peer and the work that both do.
pub(crate) struct Contest {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What pip installs, into an environment of its own; of a Cargo package, what it locks.
    pub(crate) packages: &'static [&'static str],
    /// What whoever installs should know first.
    pub(crate) warning: Option<&'static str>,
    /// Our worker, an example of one of the crates.
    pub(crate) example: &'static str,
    /// The peer's worker, in `xtask/versus/`: a Python script, or the `Cargo.toml` of a package that is called after its
    /// folder, `…-peer`, and stands outside the workspace, with a lock file of its own.
    pub(crate) script: &'static str,
    /// Who makes the input.
    pub(crate) maker: Maker,
    pub(crate) tasks: &'static [Task],
}

/// Which of the two workers makes the input of both, called with `--make FOLDER SETTINGS`.
pub(crate) enum Maker {
    Ours,
    Peer,
    /// Ours, and then the peer what it makes of that.
    OursThenPeer,
}

/// One task. Both workers are started as `WORKER FOLDER SETTINGS` and answer every line on their input with one line of
/// JSON: `{"seconds": …, "quality": {…}}`; the seconds are of the work alone, by the worker's own clock. Beside them may
/// stand `"examples"`: how many were worked through.
pub(crate) struct Task {
    pub(crate) work: &'static str,
    /// The folder of the input; rows with the same name share it.
    pub(crate) input: &'static str,
    /// JSON for both.
    pub(crate) settings: &'static str,
    /// Where both must arrive at the same numbers: by how much of itself one may be off in any run. A race in which they
    /// are further apart is no comparison, and fails.
    pub(crate) agree: Option<f64>,
}

pub(crate) const CONTESTS: &[Contest] = &[
    Contest {
        name: "evaluation",
        question: "evaluating users × items by full ranking, all metrics, against torch matmul + topk and ranx",
        packages: &["torch", "ranx", "numpy", "scipy"],
        warning: Some("torch with all that it brings takes several gigabytes"),
        example: "versus_evaluation",
        script: "evaluation_peer.py",
        maker: Maker::Peer,
        tasks: &[Task {
            work: "Gowalla, 29,858 users × 40,981 items, d 64, k up to 100, train items removed",
            input: "gowalla",
            settings: r#"{"dim": 64, "ks": [10, 20, 50, 100]}"#,
            agree: None,
        }],
    },
    Contest {
        name: "implicit",
        question: "implicit ALS at equal rank, sweeps and objective, against the library implicit",
        packages: &["implicit", "numpy", "scipy"],
        warning: None,
        example: "versus_implicit",
        script: "implicit_peer.py",
        maker: Maker::Peer,
        tasks: &[
            Task {
                work: "Gowalla, d 64, 15 sweeps, both by 3 steps of conjugate gradients",
                input: "gowalla",
                settings: r#"{"dim": 64, "sweeps": 15, "alpha": 50.0, "regularization": 4.0, "seed": 7, "solver": "cg", "cg_steps": 3}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 64, 15 sweeps, both solving exactly",
                input: "gowalla",
                settings: r#"{"dim": 64, "sweeps": 15, "alpha": 50.0, "regularization": 4.0, "seed": 7}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 192, 15 sweeps, both solving exactly",
                input: "gowalla",
                settings: r#"{"dim": 192, "sweeps": 15, "alpha": 50.0, "regularization": 4.0, "seed": 7}"#,
                agree: None,
            },
        ],
    },
    Contest {
        name: "gensim",
        question: "skip-gram with negative sampling, the same pairs and negatives, against gensim",
        packages: &["gensim", "numpy", "scipy"],
        warning: None,
        example: "versus_gensim",
        script: "gensim_peer.py",
        maker: Maker::Peer,
        tasks: &[
            Task {
                work: "Gowalla, d 64, window 5, 10 negatives, 5 epochs, rate 0.1, one thread",
                input: "gowalla",
                settings: r#"{"dim": 64, "window": 5, "negatives": 10, "epochs": 5, "learning_rate": 0.1, "seed": 7, "threads": 1, "parallel": "lock_free"}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 64, window 5, 10 negatives, 5 epochs, rate 0.1, two threads, lock-free",
                input: "gowalla",
                settings: r#"{"dim": 64, "window": 5, "negatives": 10, "epochs": 5, "learning_rate": 0.1, "seed": 7, "threads": 2, "parallel": "lock_free"}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 64, window 5, 10 negatives, 5 epochs, rate 0.1, two threads, ours deterministic",
                input: "gowalla",
                settings: r#"{"dim": 64, "window": 5, "negatives": 10, "epochs": 5, "learning_rate": 0.1, "seed": 7, "threads": 2, "parallel": "deterministic"}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 64, window 5, 10 negatives, 5 epochs, rate 0.1, one thread, ours with shared negatives",
                input: "gowalla",
                settings: r#"{"dim": 64, "window": 5, "negatives": 10, "epochs": 5, "learning_rate": 0.1, "seed": 7, "threads": 1, "parallel": "lock_free", "negatives_form": "shared"}"#,
                agree: None,
            },
            Task {
                work: "Gowalla, d 64, window 5, 10 negatives, 5 epochs, rate 0.1, two threads, lock-free, ours with shared negatives",
                input: "gowalla",
                settings: r#"{"dim": 64, "window": 5, "negatives": 10, "epochs": 5, "learning_rate": 0.1, "seed": 7, "threads": 2, "parallel": "lock_free", "negatives_form": "shared"}"#,
                agree: None,
            },
        ],
    },
    Contest {
        name: "torch",
        question: "a training step of towers, the same batches, negatives and beginning, against PyTorch",
        packages: &["torch", "numpy"],
        warning: Some("torch with all that it brings takes several gigabytes, and the input one more"),
        example: "versus_torch",
        script: "torch_peer.py",
        maker: Maker::Ours,
        tasks: &[
            Task {
                work: "YouTube DNN, batch 512, 800 negatives, 256-128-64, two tables of 1,000,000 × 64, one thread",
                input: "youtube-1m",
                settings: r#"{"model": "youtube_dnn", "users": 0, "items": 1000000, "dim": 64, "layers": [256, 128, 64], "history": 50, "batch": 512, "negatives": 800, "temperature": 1.0, "learning_rate": 0.001, "batches": 64, "steps": 64, "threads": 1}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "YouTube DNN, batch 512, 800 negatives, 256-128-64, two tables of 1,000,000 × 64, two threads",
                input: "youtube-1m",
                settings: r#"{"model": "youtube_dnn", "users": 0, "items": 1000000, "dim": 64, "layers": [256, 128, 64], "history": 50, "batch": 512, "negatives": 800, "temperature": 1.0, "learning_rate": 0.001, "batches": 64, "steps": 64, "threads": 2}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "YouTube DNN, batch 512, 800 negatives, 256-128-64, two tables of 1,000,000 × 64, two threads; ours by hand, without burn",
                input: "youtube-1m",
                settings: r#"{"model": "youtube_dnn", "users": 0, "items": 1000000, "dim": 64, "layers": [256, 128, 64], "history": 50, "batch": 512, "negatives": 800, "temperature": 1.0, "learning_rate": 0.001, "batches": 64, "steps": 64, "threads": 2, "by_hand": true}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "two-tower, batch 1,024 against itself, 128-64, two tables of 1,000,000 × 64, one thread",
                input: "two-tower-1m",
                settings: r#"{"model": "two_tower", "users": 1000000, "items": 1000000, "dim": 64, "layers": [128, 64], "history": 50, "batch": 1024, "negatives": 0, "temperature": 0.1, "learning_rate": 0.001, "batches": 32, "steps": 32, "threads": 1}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "two-tower, batch 1,024 against itself, 128-64, two tables of 1,000,000 × 64, two threads",
                input: "two-tower-1m",
                settings: r#"{"model": "two_tower", "users": 1000000, "items": 1000000, "dim": 64, "layers": [128, 64], "history": 50, "batch": 1024, "negatives": 0, "temperature": 0.1, "learning_rate": 0.001, "batches": 32, "steps": 32, "threads": 2}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "YouTube DNN, batch 512, 800 negatives, 256-128-64, two tables of 10,000 × 64, one thread",
                input: "youtube-10k",
                settings: r#"{"model": "youtube_dnn", "users": 0, "items": 10000, "dim": 64, "layers": [256, 128, 64], "history": 50, "batch": 512, "negatives": 800, "temperature": 1.0, "learning_rate": 0.001, "batches": 64, "steps": 64, "threads": 1}"#,
                agree: Some(1e-3),
            },
            Task {
                work: "YouTube DNN, batch 512, 800 negatives, 256-128-64, two tables of 10,000 × 64, two threads",
                input: "youtube-10k",
                settings: r#"{"model": "youtube_dnn", "users": 0, "items": 10000, "dim": 64, "layers": [256, 128, 64], "history": 50, "batch": 512, "negatives": 800, "temperature": 1.0, "learning_rate": 0.001, "batches": 64, "steps": 64, "threads": 2}"#,
                agree: Some(1e-3),
            },
        ],
    },
    Contest {
        name: "tantivy",
        question: "finding texts: DSSM trained on each collection, against BM25 of the crate tantivy; the time is that of asking",
        packages: &["tantivy"],
        warning: None,
        example: "text_retrieval",
        script: "tantivy/Cargo.toml",
        maker: Maker::OursThenPeer,
        tasks: &[
            Task {
                work: "Cranfield, 1,400 abstracts, 225 queries, the best ten of each, cross-validated by query",
                input: "cranfield",
                settings: r#"{"collection": "cranfield"}"#,
                agree: None,
            },
            Task {
                work: "CISI, 1,460 abstracts, 76 queries, the best ten of each, cross-validated by query",
                input: "cisi",
                settings: r#"{"collection": "cisi"}"#,
                agree: None,
            },
            Task {
                work: "Icecat, 19,406 products, 116 queries, the best ten of each, cross-validated by query",
                input: "icecat",
                settings: r#"{"collection": "chorus-icecat"}"#,
                agree: None,
            },
        ],
    },
    Contest {
        name: "polars",
        question: "features: a million rows through seventeen features, against polars expressions, equal values",
        packages: &["polars", "polars-hash"],
        warning: None,
        example: "versus_polars",
        script: "polars_peer.py",
        maker: Maker::Ours,
        tasks: &[Task {
            work: "1,000,000 rows: vocabularies, hashes, scalings, boundaries, quantiles, bags, time parts, crosses",
            input: "1m",
            settings: r#"{"rows": 1000000}"#,
            agree: None,
        }],
    },
    Contest {
        name: "faiss",
        question: "exact top-k by inner product, batched, against faiss IndexFlatIP",
        packages: &["faiss-cpu", "numpy"],
        warning: None,
        example: "versus_faiss",
        script: "faiss_peer.py",
        maker: Maker::Peer,
        tasks: &[
            Task {
                work: "41,000 items × d 64, 4,096 queries, k 100",
                input: "41k-64",
                settings: r#"{"items": 41000, "dim": 64, "queries": 4096, "k": 100}"#,
                agree: None,
            },
            Task {
                work: "41,000 items × d 192, 4,096 queries, k 100",
                input: "41k-192",
                settings: r#"{"items": 41000, "dim": 192, "queries": 4096, "k": 100}"#,
                agree: None,
            },
            Task {
                work: "1,000,000 items × d 64, 512 queries, k 100",
                input: "1m-64",
                settings: r#"{"items": 1000000, "dim": 64, "queries": 512, "k": 100}"#,
                agree: None,
            },
        ],
    },
];
