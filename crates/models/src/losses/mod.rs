//! Losses over a sample of the classes: raw scores and what a sampler handed out go in; the loss comes out, and its
//! gradient by every raw score.
//!
//! A raw score is `⟨user, item⟩`, before any temperature. Losses know no model: whoever owns the vectors turns the gradient
//! of a score into theirs.
//!
//! # The correction
//! A softmax over a sample stands for the softmax over all classes only if each class's logit is lowered by the logarithm
//! of how often it was expected in the sample (Bengio and Senécal 2008): the sum of `exp(s_j) / E_j` over the sample has the
//! sum of `exp(s_j)` over all classes as its expectation. Here that logarithm comes with the ids, as [`Candidates`]. It is
//! subtracted *after* the temperature has divided: it belongs to the sampler, not to the model.
//!
//! What is to be done with the positive is less agreed upon; [`Correction`] has the forms.
//!
//! [`Candidates`]: catchment_sampling::Candidates

mod exp;
pub mod pairwise;
pub mod softmax;

pub use pairwise::{bpr, cosine_contrastive};
pub use softmax::{Correction, SoftmaxConfig, full_softmax, in_batch_softmax, own_softmax, sampled_softmax};

#[cfg(test)]
mod tests;
