//! Fits a channel of kind `airbnb`: item vectors, cold items, kinds of users and items.

use std::path::Path;

use catchment_models::airbnb::types::{TypeSessions, TypesData};
use catchment_models::airbnb::{cold, types};
use catchment_models::sgns;
use catchment_pipeline::{ChannelModel, ChannelSpec, Layout};
use catchment_prepare::Prepared;
use catchment_sampling::{FileSessions, Oversampled, Session, SessionSource, kind_of};
use catchment_schema::Interactions;

use crate::fit::leave_out_negative;
use crate::progress::Bar;
use crate::vector_neighbours;
use crate::work::Work;

/// Writes all of it into the channel's folder; nothing for a channel of another kind.
pub(crate) fn fit(
    work: &Work,
    prepared: &Prepared,
    known: &Interactions,
    channel: &ChannelSpec,
    layout: &Layout,
    checkpoint: &Path,
    bar: &mut Bar,
) -> anyhow::Result<()> {
    let ChannelModel::Airbnb {
        sessions,
        objective,
        model,
        cold,
        types,
        query,
        ..
    } = &channel.model
    else {
        return Ok(());
    };
    let (name, kind, run) = (&channel.name, channel.model.kind(), &work.recipe.name);
    let (folder, words) = (layout.channel(name), prepared.event_words());
    let (items, attributes) = (prepared.items(), prepared.item_attributes());
    let is_named = prepared.summary().names_sessions;
    let mut rules = sessions.rules_with_goal(words, is_named, objective.goal.as_deref())?;
    leave_out_negative(work, prepared, &mut rules);
    // The log as it lies beside the models, read anew for every epoch: no session is held.
    let sessions = FileSessions::open(layout.histories(), &rules)?;
    let (n_sessions, with_goal) = (sessions.len(), with_goal(&sessions)?);
    if let Some(goal) = &objective.goal
        && with_goal == 0
    {
        work.note(format!("channel `{name}`: no session ends in `{goal}`"));
    }
    let source = Oversampled::new(sessions, objective.oversample);
    let terms = objective.objective(attributes)?;
    if checkpoint.exists() {
        work.note(format!("channel `{name}` goes on where it was stopped"));
    }
    let (n_items, seed) = (items.len(), work.recipe.seed);
    let mut fitted = sgns::fit_objective(&source, n_items, model, &terms, seed, Some(checkpoint), bar)?;
    if let Some(config) = cold {
        let report = cold::fill(&mut fitted, attributes, config)?;
        work.note(format!(
            "channel `{name}`: {} of {} items without sessions got a vector from their neighbours; {} have no place",
            report.filled, report.cold, report.without_place
        ));
    }
    fitted.save(&folder, items, kind, run)?;
    vector_neighbours::write(&fitted, *query, &layout.neighbours(name), items, channel)?;
    work.note(format!(
        "channel `{name}`: {n_sessions} sessions, {with_goal} with a goal, {:.1} million pairs, loss {:.4} → {:.4}",
        fitted.report.pairs as f64 / 1e6,
        fitted.report.losses.first().copied().unwrap_or(0.0),
        fitted.report.losses.last().copied().unwrap_or(0.0),
    ));
    let (Some(config), Some(goal)) = (types, &objective.goal) else {
        return Ok(());
    };
    let reject = config.reject.as_ref();
    let data = TypesData {
        // All of it: rejections are asked for by name.
        histories: &known.histories(prepared.users().len()),
        users: prepared.user_attributes(),
        items: attributes,
        goal: kind_of(goal, words)?,
        reject: reject.map(|word| kind_of(word, words)).transpose()?,
    };
    let found = TypeSessions::new(&data, config)?;
    let mut bar = Bar::new(&format!("{name} types"), work.output.is_silent());
    let vectors = types::fit(&found, config, work.recipe.seed, &mut bar)?;
    vectors.save(&folder, kind, run)?;
    work.note(format!(
        "channel `{name}`: {} kinds of users and {} kinds of items from {} users with a goal; {} rejections, {} more of \
         users without a goal left out",
        vectors.len(catchment_features::TypeOf::User),
        vectors.len(catchment_features::TypeOf::Item),
        found.sessions.len(),
        found.rejects[0],
        found.rejects[1],
    ));
    Ok(())
}

/// How many sessions have a goal.
fn with_goal(source: &impl SessionSource) -> catchment_schema::Result<usize> {
    let (mut session, mut n) = (Session::default(), 0);
    for shard in 0..source.n_shards() {
        let mut stream = source.shard(shard)?;
        while stream.next_session(&mut session)? {
            n += usize::from(session.goal.is_some());
        }
    }
    Ok(n)
}
