//! The pipeline itself: opened once, shared by all threads.

use std::path::Path;

use catchment_bundle::Bundle;
use catchment_ranking::Ranker;
use catchment_recall::{Channel, Executor, ExecutorConfig};
use catchment_schema::Condition;

use crate::open::{self, Knowledge};
use crate::{Catalogue, Error, Featurizer, Layout, PipelineSpec, golden};

/// Everything that turns a request into an answer, from one bundle.
pub struct Pipeline {
    pub(crate) spec: PipelineSpec,
    /// What an event has to be like to be a yes; `None` where every one is.
    positive: Option<Condition>,
    pub(crate) catalogue: Catalogue,
    pub(crate) executor: Executor,
    /// What each channel knows about items, in the order of the spec.
    pub(crate) knowledge: Vec<Knowledge>,
    pub(crate) featurizer: Option<Featurizer>,
    pub(crate) ranker: Option<Box<dyn Ranker>>,
}

impl Pipeline {
    /// Opens a verified bundle and replays its golden queries.
    ///
    /// # Errors
    /// [`Error`]: the bundle is damaged, of another version, inconsistent, or answers its golden queries otherwise.
    pub fn open(bundle: &Bundle) -> Result<Self, Error> {
        let layout = Layout::new(bundle.path());
        let pipeline = Self::open_folder(&layout)?;
        let (expected, found) = (
            &bundle.manifest().feature_fingerprint,
            pipeline.feature_fingerprint(),
        );
        if *expected != found {
            let name = |fingerprint: Option<String>| fingerprint.unwrap_or("none".to_owned());
            return Err(Error::FingerprintMismatch {
                expected: name(expected.clone()),
                found: name(found),
            });
        }
        golden::replay(&pipeline, &layout.golden())?;
        Ok(pipeline)
    }

    /// Opens a folder that is laid out as a bundle but was not published: no checksum, no golden query.
    ///
    /// # Errors
    /// As [`Pipeline::open`].
    pub fn open_folder(layout: &Layout) -> Result<Self, Error> {
        let spec = PipelineSpec::read(&layout.spec())?;
        let positive = spec
            .condition()
            .map_err(|error| spec_error(&layout.spec(), error.to_string()))?;
        let catalogue = Catalogue::open(layout)?;
        let mut channels: Vec<(Box<dyn Channel>, usize)> = Vec::new();
        let mut knowledge = Vec::new();
        for channel in &spec.channels {
            let opened = open::channel(layout, channel, &catalogue)?;
            channels.push((opened.channel, channel.k));
            knowledge.push(opened.knowledge);
        }
        let wrong_spec = |error: catchment_recall::ConfigError| spec_error(&layout.spec(), error.to_string());
        let executor = Executor::new(channels, ExecutorConfig::default()).map_err(wrong_spec)?;
        spec.merge.validate(&executor.names()).map_err(wrong_spec)?;
        let featurizer = if layout.features().is_dir() {
            Some(Featurizer::open(layout, &catalogue)?)
        } else {
            None
        };
        let ranker = match (&spec.ranker, &featurizer) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Error::Part {
                    part: "features",
                    reason: "the ranker needs them, and there are none".to_owned(),
                });
            }
            (Some(model), Some(featurizer)) => {
                let (mut ranker, expected) = open::ranker(layout, model)?;
                let found = featurizer.fitted().fingerprint().to_string();
                if expected != found {
                    return Err(Error::FingerprintMismatch { expected, found });
                }
                ranker.prepare_items(featurizer.items())?;
                Some(ranker)
            }
        };
        Ok(Self {
            spec,
            positive,
            catalogue,
            executor,
            knowledge,
            featurizer,
            ranker,
        })
    }

    /// What it is made of.
    pub fn spec(&self) -> &PipelineSpec {
        &self.spec
    }

    /// Whether an event that came after the bundle was made counts: training would not have left it out, for its word
    /// or because it is no yes. One that says no need not be a yes. Where the condition for a yes asks for what is not known
    /// of the event, a dwell that is missing or another column of the log, the event does not count.
    pub fn counts(&self, word: &str, value: f32, dwell_ms: Option<u32>) -> bool {
        let says_no = || self.spec.negative.iter().any(|no| no == word);
        let is_yes = |condition: &Condition| condition.holds(value, dwell_ms);
        self.spec.counts(word) && (self.positive.as_ref().is_none_or(is_yes) || says_no())
    }

    /// Who and what there is.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The features, where the bundle has any.
    pub fn featurizer(&self) -> Option<&Featurizer> {
        self.featurizer.as_ref()
    }

    /// The fingerprint of the features, where the bundle has any.
    pub fn feature_fingerprint(&self) -> Option<String> {
        self.featurizer
            .as_ref()
            .map(|featurizer| featurizer.fitted().fingerprint().to_string())
    }

    /// Whether a ranker decides the order.
    pub fn has_ranker(&self) -> bool {
        self.ranker.is_some()
    }

    /// The name of a channel, by the number that provenance uses.
    pub fn channel_name(&self, channel: u16) -> Option<&str> {
        self.spec
            .channels
            .get(usize::from(channel))
            .map(|channel| channel.name.as_str())
    }

    /// The number of a channel.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`], with the names that there are.
    pub(crate) fn channel_number(&self, name: &str) -> Result<usize, Error> {
        let names = || {
            self.spec
                .channels
                .iter()
                .map(|channel| channel.name.clone())
                .collect()
        };
        self.spec
            .channels
            .iter()
            .position(|channel| channel.name == name)
            .ok_or_else(|| Error::UnknownChannel {
                name: name.to_owned(),
                available: names(),
            })
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

fn spec_error(path: &Path, reason: String) -> Error {
    Error::Spec {
        path: path.to_owned(),
        reason,
    }
}
