//! One bundle for each stage that can lose an item.

use std::collections::BTreeSet;

use catchment_recall::{RrfConfig, Unmeasured};

use super::*;
use crate::testing::TinyBundle;
use crate::{Layout, PipelineSpec, Stages};

/// The tiny bundle with another spec.
fn changed(change: impl FnOnce(&mut PipelineSpec)) -> Pipeline {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(folder.path());
    TinyBundle::default().write(&layout).expect("written");
    let mut spec = PipelineSpec::read(&layout.spec()).expect("read");
    change(&mut spec);
    spec.write(&layout.spec()).expect("written");
    Pipeline::open_folder(&layout).expect("opened")
}

fn user(pipeline: &Pipeline) -> UserState<'_> {
    let user = pipeline.catalogue().users().user("u7").expect("known");
    UserState {
        user: Some(user),
        history: pipeline.catalogue().history(user),
    }
}

/// The fate of every item of the catalogue.
fn fates(pipeline: &Pipeline, request: &Request<'_>) -> Vec<(String, WhyNot)> {
    let (state, mut scratch) = (user(pipeline), Scratch::default());
    let ids = pipeline.catalogue().items().ids().iter();
    ids.map(|id| {
        let why = pipeline.why_not(id, request, &state, &mut scratch).expect("said");
        (id.to_string(), why)
    })
    .collect()
}

/// Laws 1 and 2 for all items; returns the stages that were met.
fn check(pipeline: &Pipeline, request: &Request<'_>) -> BTreeSet<&'static str> {
    let (state, mut scratch) = (user(pipeline), Scratch::default());
    let answer = pipeline
        .recommend(request, &state, &mut scratch)
        .expect("answered");
    let mut stages = BTreeSet::new();
    for (id, why) in fates(pipeline, request) {
        let item = pipeline.catalogue().items().item(&id).expect("known");
        let rank = answer
            .items
            .iter()
            .position(|found| found.item == item)
            .map(|rank| rank + 1);
        let said = match &why {
            WhyNot::Answered { rank, .. } => Some(*rank),
            _ => None,
        };
        assert_eq!(said, rank, "{id}: {why}");
        stages.insert(match why {
            WhyNot::UnknownItem => "unknown",
            WhyNot::Filtered { .. } => "filtered",
            WhyNot::NotRecalled { .. } => "recall",
            WhyNot::CutInMerge { .. } => "merge",
            WhyNot::RankedBeyond { .. } => "rank",
            WhyNot::Answered { .. } => "answered",
        });
    }
    stages
}

#[test]
fn every_stage_says_that_it_was_the_one_and_the_answer_agrees() {
    let pipeline = changed(|spec| {
        for channel in &mut spec.channels {
            channel.k = 8;
        }
        spec.merge = MergeConfig::Rrf(RrfConfig {
            limit: 10,
            ..RrfConfig::default()
        });
    });
    let request = Request::new(4, pipeline.catalogue().now());
    let all = ["answered", "filtered", "merge", "rank", "recall"];
    assert_eq!(check(&pipeline, &request), all.into());
    let merged = Request {
        stages: Stages::Merged,
        ..request
    };
    assert_eq!(check(&pipeline, &merged), all.into());
    let popular = ["popular".to_owned()];
    let narrow = Request {
        channels: Some(&popular),
        ..request
    };
    assert!(check(&pipeline, &narrow).is_superset(&["answered", "rank", "recall"].into()));
}

#[test]
fn an_item_that_nobody_knows_and_one_that_a_rule_forbids_are_told_apart() {
    let pipeline = changed(|_| ());
    let state = user(&pipeline);
    let mut scratch = Scratch::default();
    let items = pipeline.catalogue().items();
    let excluded = [items.item("130").expect("known")];
    let mut request = Request::new(5, pipeline.catalogue().now());
    request.exclude = &excluded;
    let mut why = |id: &str| {
        pipeline
            .why_not(id, &request, &state, &mut scratch)
            .expect("said")
    };
    let rule = |why: &WhyNot| match why {
        WhyNot::Filtered { rule } => Some(*rule),
        _ => None,
    };
    assert_eq!(why("nothing"), WhyNot::UnknownItem);
    assert_eq!(rule(&why("130")), Some(Rule::Excluded));
    let seen = state.history.events()[0].item;
    assert_eq!(
        rule(&why(items.id(seen.index()).expect("known"))),
        Some(Rule::Seen)
    );
    // The second item of the tiny world cannot be had; a stranger has not seen it either.
    let stranger = UserState {
        user: None,
        history: catchment_schema::History::EMPTY,
    };
    let said = pipeline
        .why_not("101", &request, &stranger, &mut Scratch::default())
        .expect("said");
    assert_eq!(rule(&said), Some(Rule::Unavailable));
}

#[test]
fn a_channel_says_rank_and_score_of_what_it_did_not_reach() {
    let pipeline = changed(|spec| spec.channels.iter_mut().for_each(|channel| channel.k = 2));
    let request = Request::new(40, pipeline.catalogue().now());
    let state = user(&pipeline);
    let mut scratch = Scratch::default();
    let mut n_ranks = 0;
    for (id, why) in fates(&pipeline, &request) {
        let WhyNot::NotRecalled { channels } = why else {
            continue;
        };
        let names: Vec<_> = channels.iter().map(|gap| gap.channel.as_str()).collect();
        assert_eq!(names, ["popular", "item_cf", "ials"]);
        for gap in &channels {
            // The same rank as in the whole list of that channel.
            let list = pipeline
                .recall_channel(&gap.channel, &request, &state, &mut scratch)
                .expect("recalled");
            let item = pipeline.catalogue().items().item(&id).expect("known");
            let position = list
                .iter()
                .position(|scored| scored.item == item)
                .map(|position| position + 1);
            assert_eq!(gap.rank, position, "{id}: {gap}");
            assert_eq!(gap.asked, 2);
            if let Some(rank) = gap.rank {
                assert!(rank > 2 && gap.score <= gap.last_score, "{id}: {gap}");
                n_ranks += 1;
            }
        }
    }
    assert!(n_ranks > 20, "{n_ranks}");
}

#[test]
fn what_the_merge_cut_stands_behind_its_places_and_what_was_ranked_behind_n() {
    let pipeline = changed(|spec| {
        spec.merge = MergeConfig::Rrf(RrfConfig {
            limit: 10,
            ..RrfConfig::default()
        });
    });
    let request = Request::new(3, pipeline.catalogue().now());
    let (mut merge_places, mut rank_places) = (Vec::new(), Vec::new());
    for (id, why) in fates(&pipeline, &request) {
        match why {
            WhyNot::CutInMerge {
                position,
                places,
                score,
                last_score,
                found_by,
            } => {
                assert_eq!(places, 10);
                assert!(score <= last_score && !found_by.is_empty(), "{id}");
                merge_places.push(position.expect("rrf gives everything a place"));
            }
            WhyNot::RankedBeyond {
                position,
                n,
                score,
                last_score,
                found_by,
            } => {
                assert_eq!(n, 3);
                assert!(score <= last_score && !found_by.is_empty(), "{id}");
                rank_places.push(position);
            }
            _ => {}
        }
    }
    merge_places.sort_unstable();
    rank_places.sort_unstable();
    // Every place once, from the first that was cut on.
    assert_eq!(merge_places, (11..11 + merge_places.len()).collect::<Vec<_>>());
    assert_eq!(rank_places, (4..=10).collect::<Vec<_>>());
}

#[test]
fn a_stranger_is_told_that_channels_have_nothing_to_go_on_and_words_say_the_same_as_fields() {
    let pipeline = changed(|spec| spec.channels.iter_mut().for_each(|channel| channel.k = 2));
    let state = UserState {
        user: None,
        history: catchment_schema::History::EMPTY,
    };
    let mut request = Request::new(3, pipeline.catalogue().now());
    request.stopwatch = &Unmeasured;
    let why = pipeline
        .why_not("139", &request, &state, &mut Scratch::default())
        .expect("said");
    let said = why.to_string();
    assert!(
        said.contains("item_cf: nothing to go on") && said.contains("popular: rank "),
        "{said}"
    );
    let json = serde_json::to_value(&why).expect("JSON");
    assert_eq!(json["stage"], "not_recalled");
    assert_eq!(json["channels"][1]["missing"], "nothing to go on");
}
