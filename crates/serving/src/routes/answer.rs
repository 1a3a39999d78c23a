//! Answers as JSON.

use catchment_pipeline::{Answer, Catalogue, Pipeline};
use catchment_recall::{Candidate, Cause};
use catchment_schema::ItemIdx;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One item of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemBody {
    /// Raw id.
    pub item_id: String,
    /// From 1.
    pub rank: usize,
    /// Higher is better; comparable within one answer.
    pub score: f32,
    /// What was asked for in `return_attributes`, where the item has it.
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// Every channel that found the item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<SourceBody>,
    /// What speaks for the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonBody>,
}

/// Why an item is there, in words that one can show.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonBody {
    /// `because_you_viewed`: what the user did before speaks for it.
    pub code: &'static str,
    /// Raw ids of the user's own items that speak for it most, the strongest first.
    pub item_ids: Vec<String>,
}

impl ReasonBody {
    /// Of the user's own items, where there are any.
    pub fn because(catalogue: &Catalogue, items: &[ItemIdx]) -> Option<Self> {
        (!items.is_empty()).then(|| Self {
            code: "because_you_viewed",
            item_ids: items.iter().map(|&item| item_id(catalogue, item)).collect(),
        })
    }
}

/// A channel that found an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceBody {
    /// The channel.
    pub name: String,
    /// The item's rank there, from 1.
    pub rank: u32,
    /// The item's score there; scores of different channels cannot be compared.
    pub score: f32,
}

/// A channel that is missing from an answer, or was cut short.
#[derive(Debug, Serialize, ToSchema)]
pub struct DegradedBody {
    /// The channel.
    pub channel: String,
    /// `deadline`, or what went wrong.
    pub cause: String,
}

/// How an answer came about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainBody {
    /// Each channel.
    pub channels: Vec<ChannelBody>,
    /// How many items of the catalogue each rule kept out.
    pub removed: Vec<RemovedBody>,
    /// How many candidates the merge handed on.
    pub merged: usize,
    /// How many items of the answer come from no channel.
    pub fallback: usize,
    /// Whether a ranker decided the order.
    pub ranked: bool,
    /// Milliseconds in each stage.
    pub stages_ms: StagesBody,
}

/// One channel's part in an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelBody {
    /// The channel.
    pub name: String,
    /// How many items it was asked for.
    pub asked: usize,
    /// How many it returned.
    pub returned: usize,
    /// How many of them passed the filter once more.
    pub kept: usize,
    /// How long it took.
    pub ms: f64,
}

/// A rule and what it kept out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedBody {
    /// `seen`, `excluded` or `unavailable`.
    #[schema(value_type = String)]
    pub rule: catchment_recall::Rule,
    /// How many items.
    pub count: usize,
}

/// Milliseconds in each stage.
#[derive(Debug, Serialize, ToSchema)]
pub struct StagesBody {
    /// Features of user and context.
    pub features: f64,
    /// All channels.
    pub recall: f64,
    /// The merge.
    pub merge: f64,
    /// Features of candidates, and the ranker.
    pub rank: f64,
}

/// The items of an answer, each with the items that speak for it.
pub fn items(
    pipeline: &Pipeline,
    found: &[Candidate],
    reasons: &[Vec<ItemIdx>],
    attributes: &[String],
) -> Vec<ItemBody> {
    let catalogue = pipeline.catalogue();
    (1..)
        .zip(found.iter().zip(reasons))
        .map(|(rank, (candidate, because))| ItemBody {
            item_id: item_id(catalogue, candidate.item),
            rank,
            score: candidate.score.get(),
            attributes: item_attributes(catalogue, candidate.item, attributes),
            channels: candidate
                .sources
                .iter()
                .map(|source| SourceBody {
                    name: pipeline
                        .channel_name(source.channel)
                        .unwrap_or_default()
                        .to_owned(),
                    rank: source.rank,
                    score: source.score.get(),
                })
                .collect(),
            reason: ReasonBody::because(catalogue, because),
        })
        .collect()
}

/// An item's raw id.
pub fn item_id(catalogue: &Catalogue, item: ItemIdx) -> String {
    catalogue.items().id(item.index()).unwrap_or_default().to_owned()
}

/// The attributes asked for that the item has.
pub fn item_attributes(catalogue: &Catalogue, item: ItemIdx, names: &[String]) -> Map<String, Value> {
    let table = catalogue.item_attributes();
    let row = item.index();
    let value = |name: &String| {
        if let Some(text) = table.text(name, row) {
            return Some(Value::from(text));
        }
        let texts = table.texts(name, row);
        if !texts.is_empty() {
            return Some(Value::from(texts));
        }
        if let Some(flag) = table.flag(name, row) {
            return Some(Value::from(flag));
        }
        match table.time(name, row).millis() {
            Some(millis) => Some(Value::from(millis)),
            None => table.number(name, row).map(Value::from),
        }
    };
    names
        .iter()
        .filter_map(|name| Some((name.clone(), value(name)?)))
        .collect()
}

/// The channels that are missing or were cut short.
pub fn degraded(answer: &Answer) -> Vec<DegradedBody> {
    let reports = answer.trace.channels.iter().filter(|report| report.is_degraded());
    reports
        .map(|report| DegradedBody {
            channel: report.name.clone(),
            cause: match &report.missing {
                Some(Cause::Error(error)) => error.clone(),
                _ => "deadline".to_owned(),
            },
        })
        .collect()
}

/// The trace as JSON.
pub fn explain(answer: &Answer) -> ExplainBody {
    let ms = |micros: u64| micros as f64 / 1e3;
    let trace = &answer.trace;
    ExplainBody {
        channels: trace
            .channels
            .iter()
            .map(|report| ChannelBody {
                name: report.name.clone(),
                asked: report.asked,
                returned: report.returned,
                kept: report.kept,
                ms: ms(report.micros),
            })
            .collect(),
        removed: trace
            .removed
            .iter()
            .map(|&(rule, count)| RemovedBody { rule, count })
            .collect(),
        merged: trace.merged,
        fallback: trace.fallback,
        ranked: trace.ranked,
        stages_ms: StagesBody {
            features: ms(trace.micros.features),
            recall: ms(trace.micros.recall),
            merge: ms(trace.micros.merge),
            rank: ms(trace.micros.rank),
        },
    }
}
