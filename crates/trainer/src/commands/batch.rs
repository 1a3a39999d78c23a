//! `catchment-train batch`.

use std::path::Path;
use std::sync::Arc;

use catchment_bundle::Bundle;
use catchment_pipeline::{Pipeline, Request, Scratch, UserState};
use catchment_schema::import::{Format, Source, import_users};
use catchment_schema::{History, RecommendationRow, RecommendationRows, columns};
use rayon::prelude::*;

use super::list_form::ListForm;
use super::print_json;
use crate::cli::{BundleArgs, Output};
use crate::failure::Failure;
use crate::speech;

/// Opens the pipeline of a bundle, with as many threads as were asked for.
pub(super) fn open(path: &Path, output: Output) -> Result<Pipeline, Failure> {
    let bundle = open_bundle(path, output)?;
    Ok(Pipeline::open(&bundle)?)
}

/// Opens a bundle, or the current one of a folder of bundles.
fn open_bundle(path: &Path, output: Output) -> Result<Bundle, Failure> {
    output.set_up_threads(0);
    let is_bundle = path.join("manifest.json").is_file();
    Ok(if is_bundle {
        Bundle::open(path)?
    } else {
        Bundle::open_current(path)?
    })
}

pub(crate) fn run(
    args: &BundleArgs,
    users: &Path,
    n: usize,
    file: &Path,
    output: Output,
) -> Result<(), Failure> {
    let form = ListForm::of(file)?;
    let bundle = open_bundle(&args.bundle, output)?;
    let pipeline = Pipeline::open(&bundle)?;
    let ids = user_ids(users)?;
    let catalogue = pipeline.catalogue();
    let answers: Vec<_> = ids
        .par_iter()
        .map_init(Scratch::default, |scratch, id| {
            let user = catalogue.users().user(id);
            let history = user.map_or(History::EMPTY, |user| catalogue.history(user));
            let request = Request::new(n, catalogue.now());
            pipeline.recommend(&request, &UserState { user, history }, scratch)
        })
        .collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for (id, answer) in ids.iter().zip(&answers) {
        for (rank, item) in (1u32..).zip(&answer.items) {
            let channels = item
                .sources
                .iter()
                .filter_map(|source| pipeline.channel_name(source.channel))
                .map(Arc::from)
                .collect();
            rows.push(RecommendationRow {
                user_id: id.clone(),
                item_id: catalogue.items().ids()[item.item.index()].clone(),
                rank,
                score: item.score,
                channels,
            });
        }
    }
    let lists = RecommendationRows {
        bundle: bundle.version().to_string(),
        rows,
    };
    form.write(&lists, file)?;
    let cold = ids
        .iter()
        .filter(|id| catalogue.users().user(id).is_none())
        .count();
    if output.json {
        return print_json(&serde_json::json!({ "users": ids.len(), "unknown_users": cold, "file": file }));
    }
    if !output.quiet {
        speech::say(format!(
            "{} users ({cold} unknown to the bundle), {}",
            ids.len(),
            file.display()
        ));
    }
    Ok(())
}

/// The column `user_id` of a Parquet or CSV file.
fn user_ids(path: &Path) -> Result<Vec<Arc<str>>, Failure> {
    let parquet = path.extension().is_some_and(|extension| extension == "parquet");
    let source = Source {
        path: path.to_string_lossy().into_owned(),
        format: if parquet { Format::Parquet } else { Format::Csv },
        columns: std::collections::BTreeMap::default(),
        lists: std::collections::BTreeMap::default(),
        time_unit: catchment_schema::import::TimeUnit::default(),
        time_origin: None,
        delimiter: None,
        on_error: catchment_schema::import::OnError::default(),
    };
    let (batch, _) = import_users(&source).map_err(|error| match error {
        catchment_schema::Error::MissingColumn { .. } => {
            Failure::with_help(error, "call the column with the users' ids user_id")
        }
        catchment_schema::Error::BadValue { .. } => {
            Failure::with_help(error, "mend the row: each user once, each with an id")
        }
        other => Failure::from(other).blame_missing_file(),
    })?;
    let ids =
        columns::required_column::<catchment_schema::arrow::array::StringArray>(path, &batch, "user_id")?;
    Ok(ids.iter().flatten().map(Arc::from).collect())
}
