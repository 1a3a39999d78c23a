//! **What did training hand over?** A folder that is complete, checksummed, never changes, and appears by
//! one rename: the only thing that training and serving share.
//!
//! ```text
//! bundles/CURRENT               one line, the version in use; written by rename, last
//! bundles/<version>/            20261123T221500Z-3f9c: when it was made, and the beginning of a hash
//!     manifest.json             what it is, what it was trained on, every file with length and SHA-256
//!     manifest.json.sha256      the manifest's own checksum
//!     features/  channels/<name>/  ranker/  vocab/  items/  users/  golden.parquet  …
//! bundles/.staging-…/           bundles in the making, which no reader looks at
//! ```
//!
//! A query encoder, its item vectors and its index come from one run here and cannot disagree. What lies
//! in the parts is the business of whoever writes and opens them: this crate knows files, not models.
//!
//! # Why a pointer file
//! A new bundle gets a folder of its own, and one small file says which folder counts. So a reader always
//! has a whole bundle, an older one is one rename away, and nothing is ever overwritten. A symbolic link
//! would do the same, but not on every system and file store.
//!
//! # Quick example
//! ```
//! use catchment_bundle::{Bundle, ManifestInfo, Publisher, TrainedOn, roll_back};
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path().join("bundles");
//! # let info = |created_at_ms| ManifestInfo {
//! #     created_by: "example 0.1.0".to_owned(),
//! #     created_at_ms,
//! #     trained_on: TrainedOn::default(),
//! #     seed: 7,
//! #     feature_fingerprint: None,
//! #     metrics: [("recall@20".to_owned(), 0.17)].into(),
//! #     parts: Vec::new(),
//! # };
//! let publisher = Publisher::begin(&root, None)?;
//! std::fs::write(publisher.path("channels/popular/items.csv")?, "a\nb\n")?;
//! assert!(Bundle::open_current(&root).is_err(), "nothing is visible yet");
//! let first = publisher.commit(info(1_795_472_100_000))?;
//! assert_eq!(first.to_string(), "20261123T221500Z-d0e2");
//!
//! let bundle = Bundle::open_current(&root)?;
//! let popular = bundle.part("channels/popular")?;
//! assert_eq!(std::fs::read_to_string(popular.path.join("items.csv"))?, "a\nb\n");
//!
//! let publisher = Publisher::begin(&root, None)?;
//! std::fs::write(publisher.path("channels/popular/items.csv")?, "b\na\n")?;
//! let second = publisher.commit(info(1_795_472_160_000))?;
//! assert_eq!(Bundle::open_current(&root)?.version(), second);
//! assert_eq!(roll_back(&root)?, first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Siblings
//! `catchment-trainer` publishes, `catchment-pipeline` opens; both know what the parts mean.

pub mod bundle;
mod checksum;
pub mod diff;
mod entry_path;
pub mod error;
mod lock;
pub mod manifest;
pub mod publisher;
pub mod root;
mod staging;
mod tree;
pub mod version;

pub use bundle::{Bundle, Part};
pub use diff::{Diff, FileChange, diff};
pub use error::{Error, Result};
pub use manifest::{FORMAT_VERSION, FileEntry, Manifest, ManifestInfo, PartEntry, TrainedOn};
pub use publisher::Publisher;
pub use root::{activate, current, list, roll_back};
pub use version::Version;
