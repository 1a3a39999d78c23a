//! One line of the request log.

use serde::Serialize;

use super::answer::{ItemBody, SourceBody};
use super::recommend::RecommendAnswer;
use crate::clock::now_millis;

/// What was shown to whom. Events that carry the `recomm_id` join it.
#[derive(Serialize)]
pub(super) struct RequestLine<'a> {
    /// When the answer was made, in milliseconds since the Unix epoch.
    time: i64,
    recomm_id: &'a str,
    user_id: &'a str,
    bundle: &'a str,
    /// How many items were asked for.
    n: usize,
    items: Vec<ShownItem<'a>>,
    degraded: Vec<&'a str>,
    fallback_used: &'a [&'static str],
    personalised: bool,
    took_ms: f64,
}

#[derive(Serialize)]
struct ShownItem<'a> {
    item_id: &'a str,
    score: f32,
    channels: &'a [SourceBody],
}

impl<'a> RequestLine<'a> {
    pub(super) fn new(user_id: &'a str, n: usize, answer: &'a RecommendAnswer) -> Self {
        let shown = |item: &'a ItemBody| ShownItem {
            item_id: &item.item_id,
            score: item.score,
            channels: &item.channels,
        };
        Self {
            time: now_millis(),
            recomm_id: &answer.recomm_id,
            user_id,
            bundle: &answer.bundle,
            n,
            items: answer.items.iter().map(shown).collect(),
            degraded: answer
                .degraded
                .iter()
                .map(|missing| missing.channel.as_str())
                .collect(),
            fallback_used: &answer.fallback_used,
            personalised: answer.personalised,
            took_ms: answer.took_ms,
        }
    }
}
