//! What a recipe says about an index: `index = { kind = "auto", recall = 0.99 }`.

use serde::{Deserialize, Serialize};

use crate::BuildError;

/// Which engine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum IndexKind {
    /// Whatever reaches the asked recall soonest; see [`crate::build_index`].
    #[default]
    Auto,
    /// [`crate::exact::ExactIndex`].
    Exact,
    /// The graph of `hnsw_rs`, behind the Cargo feature `hnsw`.
    Hnsw,
}

/// How an index is built and how good it has to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Which engine.
    pub kind: IndexKind,
    /// Share of the true top [`k`](Self::k) that has to be found, above 0 and at most 1.
    pub recall: f32,
    /// The length of list at which recall is asked and measured, from 1 to 10,000.
    pub k: usize,
    /// Settings of the graph.
    pub hnsw: HnswConfig,
}

/// Settings of the graph (Malkov and Yashunin, TPAMI 2018, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HnswConfig {
    /// `M`: edges of a node in the upper layers, twice as many in the lowest; from 4 to 128.
    pub max_connections: usize,
    /// Length of the candidate pool while building, from 8 to 4096. Build time is about proportional to it.
    pub ef_construction: usize,
    /// The longest candidate pool that tuning may try, from 16 to 65,536.
    pub max_ef: usize,
    /// Whether to insert on all threads. Faster, but **not reproducible**: the graph then depends on a race,
    /// and two builds differ. Off, the same vectors give the same graph.
    pub parallel: bool,
}

impl IndexConfig {
    /// The default of [`recall`](Self::recall).
    pub const RECALL: f32 = 0.99;
    /// The default of [`k`](Self::k).
    pub const K: usize = 100;

    /// Checks every range; engines do it before they build.
    ///
    /// # Errors
    /// [`BuildError::BadSetting`], naming the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        let check = |ok: bool, key, found: &dyn ToString, allowed| {
            let error = || BuildError::BadSetting {
                key,
                found: found.to_string(),
                allowed,
            };
            if ok { Ok(()) } else { Err(error()) }
        };
        let hnsw = &self.hnsw;
        check(
            self.recall > 0.0 && self.recall <= 1.0,
            "recall",
            &self.recall,
            "above 0, at most 1",
        )?;
        check((1..=10_000).contains(&self.k), "k", &self.k, "1 to 10000")?;
        check(
            (4..=128).contains(&hnsw.max_connections),
            "hnsw.max_connections",
            &hnsw.max_connections,
            "4 to 128",
        )?;
        check(
            (8..=4096).contains(&hnsw.ef_construction),
            "hnsw.ef_construction",
            &hnsw.ef_construction,
            "8 to 4096",
        )?;
        check(
            (16..=65_536).contains(&hnsw.max_ef),
            "hnsw.max_ef",
            &hnsw.max_ef,
            "16 to 65536",
        )
    }
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self {
            kind: IndexKind::Auto,
            recall: Self::RECALL,
            k: Self::K,
            hnsw: HnswConfig::default(),
        }
    }
}

impl HnswConfig {
    /// The default of [`max_connections`](Self::max_connections).
    pub const MAX_CONNECTIONS: usize = 16;
    /// The default of [`ef_construction`](Self::ef_construction).
    pub const EF_CONSTRUCTION: usize = 200;
    /// The default of [`max_ef`](Self::max_ef).
    pub const MAX_EF: usize = 2000;
}

impl Default for HnswConfig {
    fn default() -> Self {
        Self {
            max_connections: Self::MAX_CONNECTIONS,
            ef_construction: Self::EF_CONSTRUCTION,
            max_ef: Self::MAX_EF,
            parallel: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Channel {
        index: IndexConfig,
    }

    #[test]
    fn a_recipe_may_say_as_little_as_it_likes_but_nothing_unknown() {
        let read = |text: &str| toml::from_str::<Channel>(text).map(|channel| channel.index);
        let config = read(r#"index = { kind = "auto", recall = 0.95 }"#).expect("valid");
        assert_eq!(
            config,
            IndexConfig {
                recall: 0.95,
                ..IndexConfig::default()
            }
        );
        let config = read(r#"index = { kind = "hnsw", hnsw = { parallel = true } }"#).expect("valid");
        assert!(config.kind == IndexKind::Hnsw && config.hnsw.parallel);
        assert!(read("index = { recal = 0.9 }").is_err_and(|error| error.message().contains("recal")));
        assert!(read(r#"index = { kind = "annoy" }"#).is_err());
    }

    #[test]
    fn settings_out_of_range_name_their_key() {
        let check = |change: &dyn Fn(&mut IndexConfig), expected: &str| {
            let mut config = IndexConfig::default();
            change(&mut config);
            match config.validate() {
                Err(BuildError::BadSetting { key, .. }) => assert_eq!(key, expected),
                other => panic!("{expected}: {other:?}"),
            }
        };
        check(&|config| config.recall = 0.0, "recall");
        check(&|config| config.recall = f32::NAN, "recall");
        check(&|config| config.k = 0, "k");
        check(
            &|config| config.hnsw.max_connections = 257,
            "hnsw.max_connections",
        );
        check(&|config| config.hnsw.ef_construction = 0, "hnsw.ef_construction");
        check(&|config| config.hnsw.max_ef = 1, "hnsw.max_ef");
        assert_eq!(IndexConfig::default().validate(), Ok(()));
    }
}
