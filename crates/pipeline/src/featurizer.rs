//! The one feature path: the trainer fills the ranker's rows with it, and a request is answered with it.

use catchment_features::{
    CandidateInput, ChannelHit, ContextInput, FeatureBatch, FittedFeatures, UserInput, UserProfile,
};
use catchment_recall::Candidate;
use catchment_schema::{History, Time};

use crate::{Catalogue, Error, Layout, UserState, spaces};

/// Fitted features with the catalogue's side transformed once.
#[derive(Debug)]
pub struct Featurizer {
    fitted: FittedFeatures,
    items: FeatureBatch,
}

/// Buffers of one thread for the features of a request.
#[derive(Debug, Default)]
pub struct RequestFeatures {
    /// One row.
    pub user: FeatureBatch,
    /// One row.
    pub context: FeatureBatch,
    /// One row a candidate.
    pub candidates: FeatureBatch,
    profile: UserProfile,
    hits: Vec<ChannelHit>,
}

impl Featurizer {
    /// Opens the features of a layout and transforms its catalogue.
    ///
    /// # Errors
    /// [`Error::Part`] when they are missing, damaged, or fitted on other vocabularies.
    pub fn open(layout: &Layout, catalogue: &Catalogue) -> Result<Self, Error> {
        let part = |error: catchment_features::Error| Error::Part {
            part: "features",
            reason: error.to_string(),
        };
        let mut fitted = FittedFeatures::open(&layout.features()).map_err(part)?;
        spaces::attach(&mut fitted, layout, catalogue)?;
        let mut items = FeatureBatch::default();
        fitted
            .transform_items(catalogue.items(), catalogue.item_attributes(), &mut items)
            .map_err(part)?;
        Ok(Self { fitted, items })
    }

    /// The fitted features.
    pub fn fitted(&self) -> &FittedFeatures {
        &self.fitted
    }

    /// The catalogue's side: row `i` is item `i`.
    pub fn items(&self) -> &FeatureBatch {
        &self.items
    }

    /// Fills user, context and profile for one request.
    ///
    /// # Errors
    /// [`Error::Features`].
    pub fn request(
        &self,
        catalogue: &Catalogue,
        user: &UserState<'_>,
        now: Time,
        out: &mut RequestFeatures,
    ) -> Result<(), Error> {
        let liked = catalogue.negative_events().taken_from(user.history);
        let input = UserInput {
            id: user.user.and_then(|user| catalogue.users().id(user.index())),
            attributes: user.user.map(|user| (catalogue.user_attributes(), user.index())),
            history: History::new(&liked),
            everything: Some(user.history),
            now,
        };
        out.user.clear();
        self.fitted
            .transform_user(&input, &mut out.user)
            .map_err(failed)?;
        out.context.clear();
        self.fitted
            .transform_context(&ContextInput { now }, &mut out.context)
            .map_err(failed)?;
        self.fitted
            .profile(&input, &self.items, &mut out.profile)
            .map_err(failed)
    }

    /// Fills one row for each candidate, after [`Featurizer::request`].
    ///
    /// # Errors
    /// [`Error::Features`].
    pub fn candidates(&self, candidates: &[Candidate], out: &mut RequestFeatures) -> Result<(), Error> {
        out.hits.clear();
        for candidate in candidates {
            out.hits.extend(candidate.sources.iter().map(|source| ChannelHit {
                channel: source.channel,
                rank: source.rank,
                score: source.score.get(),
            }));
        }
        let mut rest = &out.hits[..];
        let inputs: Vec<CandidateInput<'_>> = candidates
            .iter()
            .map(|candidate| {
                let (sources, after) = rest.split_at(candidate.sources.len());
                rest = after;
                CandidateInput {
                    item: candidate.item,
                    sources,
                }
            })
            .collect();
        out.candidates.clear();
        self.fitted
            .transform_candidates(&out.profile, &self.items, &inputs, &mut out.candidates)
            .map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn failed(error: catchment_features::Error) -> Error {
    Error::Features(error.to_string())
}
