//! What happened: every user's choices in time.

use catchment_schema::Time;

use crate::WorldConfig;
use crate::catalogue::Item;
use crate::choice::{Choice, ChoiceKind, draw, fit, utilities, weights};
use crate::population::User;
use crate::stream::{Purpose, Stream};

/// The longest session, with room to spare.
const SESSION_SECONDS: i64 = 2 * 3600;
const LONGEST_SESSION: usize = 5;

/// One user's `n_events` choices, oldest first, no two in one second and none of one item twice.
pub(crate) fn choices(
    config: &WorldConfig,
    items: &[Item],
    position: usize,
    user: &User,
    n_events: usize,
) -> Vec<Choice> {
    let mut stream = Stream::new(config.seed, Purpose::Log, position);
    let weights = weights(&utilities(config.temperature, user, items));
    let mut is_chosen = vec![false; items.len()];
    let mut choices = Vec::with_capacity(n_events);
    for second in moments(config, user.is_cold, n_events, &mut stream) {
        let time = Time::from_millis(second * 1000);
        let is_open = |item: usize| !is_chosen[item] && items[item].published_at <= time;
        let Some(item) = draw(&weights, is_open, &mut stream) else {
            continue;
        };
        is_chosen[item] = true;
        let is_bought = stream.uniform() < 0.05 + 0.35 * fit(user, &items[item]).max(0.0);
        choices.push(Choice {
            user: position,
            item,
            time,
            kind: if is_bought {
                ChoiceKind::Purchase
            } else {
                ChoiceKind::Click
            },
        });
    }
    choices
}

/// When a user acts: in sessions of a few events, some minutes apart, from the day they join.
fn moments(config: &WorldConfig, is_cold: bool, n_events: usize, stream: &mut Stream) -> Vec<i64> {
    let joined = if is_cold {
        stream.between(
            config.split(),
            config.split() + (config.end() - config.split()) / 2,
        )
    } else {
        stream.between(
            config.start,
            config.start + (config.split() - config.start) * 3 / 5,
        )
    };
    let mut moments = Vec::with_capacity(n_events);
    // The first session is the joining itself: whoever is not cold was there before the split.
    let mut second = joined;
    while moments.len() < n_events {
        let n_in_session = (1 + stream.below(LONGEST_SESSION)).min(n_events - moments.len());
        for _ in 0..n_in_session {
            moments.push(second);
            second += stream.between(20, 600);
        }
        second = stream.between(joined, config.end() - SESSION_SECONDS);
    }
    moments.sort_unstable();
    for place in 1..moments.len() {
        moments[place] = moments[place].max(moments[place - 1] + 1);
    }
    moments
}
