//! Golden vectors: these bytes may change only together with `TRANSFORM_VERSION`.

use catchment_features::{
    CandidateInput, ChannelHit, ContextInput, FeatureBatch, FittedFeatures, Side, UserInput, UserProfile,
};
use catchment_schema::{ItemIdx, Time};
use expect_test::expect_file;

use crate::world::{World, show, user_at};

#[test]
fn transformed_bytes_are_those_of_the_golden_file() {
    let world = World::new();
    let shown = transformed(&world, world.fit());
    expect_file!["../golden/transformed.txt"].assert_eq(&shown);
}

#[test]
fn transformed_bytes_of_the_whole_language_are_those_of_the_golden_file() {
    let world = World::new();
    let shown = transformed(&world, world.fit_whole());
    expect_file!["../golden/transformed_2.txt"].assert_eq(&shown);
}

fn transformed(world: &World, mut fitted: FittedFeatures) -> String {
    let hits = [(0, 0.5), (0, 0.25), (1, 100.0), (1, 3.0)];
    let hits = hits.map(|(channel, score)| ChannelHit {
        channel,
        rank: 1,
        score,
    });
    fitted.fit_channel_scores(hits).expect("known channels");
    let items = world.catalogue(&fitted);
    let (attributes, histories) = (world.user_attributes(), world.histories());

    let mut users = FeatureBatch::default();
    let mut contexts = FeatureBatch::default();
    for (row, now) in [(0, 20), (1, 100), (2, 12), (3, 3_600_000)] {
        let now = Time::from_millis(now);
        let input = user_at(world, &attributes, &histories, row, now);
        fitted.transform_user(&input, &mut users).expect("a row");
        fitted
            .transform_context(&ContextInput { now }, &mut contexts)
            .expect("a row");
    }
    let unknown = UserInput {
        id: Some("somebody new"),
        ..UserInput::anonymous(Time::UNKNOWN)
    };
    for input in [unknown, UserInput::anonymous(Time::UNKNOWN)] {
        fitted.transform_user(&input, &mut users).expect("a row");
    }
    fitted
        .transform_context(&ContextInput { now: Time::UNKNOWN }, &mut contexts)
        .expect("a row");

    let mut profile = UserProfile::default();
    let now = Time::from_millis(30);
    let input = user_at(world, &attributes, &histories, 0, now);
    fitted.profile(&input, &items, &mut profile).expect("a profile");
    let hit = |channel, rank, score| ChannelHit { channel, rank, score };
    let both = [hit(1, 4, 3.0), hit(0, 1, 0.5)];
    let odd = [hit(1, 0, f32::NAN), hit(1, 2, f32::MAX)];
    let candidate = |item, sources| CandidateInput {
        item: ItemIdx(item),
        sources,
    };
    let asked = [
        candidate(0, &both[..]),
        candidate(1, &both[..1]),
        candidate(2, &odd),
        candidate(3, &[]),
    ];
    let mut candidates = FeatureBatch::default();
    fitted
        .transform_candidates(&profile, &items, &asked, &mut candidates)
        .expect("rows");

    let sides = [
        (Side::User, &users),
        (Side::Item, &items),
        (Side::Context, &contexts),
        (Side::Candidate, &candidates),
    ];
    sides.map(|(side, batch)| show(&fitted, side, batch)).concat()
}
