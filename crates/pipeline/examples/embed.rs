//! The pipeline in a program of your own, without a server:
//! `cargo run -p catchment-pipeline --example embed [BUNDLES] [USER]`.
//!
//! Without arguments it makes a tiny bundle in a temporary folder.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::path::PathBuf;

use catchment_bundle::Bundle;
use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Pipeline, Request, Scratch, UserState};
use catchment_schema::History;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let given = arguments.next().map(PathBuf::from);
    if given.is_none() {
        TinyBundle::default().publish(temporary.path())?;
    }
    let bundles = given.unwrap_or(temporary.path().to_owned());
    let user_id = arguments.next().unwrap_or("u0".to_owned());

    // From here on, what a program of your own needs.
    let pipeline = Pipeline::open(&Bundle::open_current(&bundles)?)?;
    let catalogue = pipeline.catalogue();
    let user = catalogue.users().user(&user_id);
    let history = user.map_or(History::EMPTY, |user| catalogue.history(user));
    let request = Request::new(5, catalogue.now());
    let answer = pipeline.recommend(&request, &UserState { user, history }, &mut Scratch::default())?;
    for candidate in &answer.items {
        let id = catalogue.items().id(candidate.item.index()).unwrap_or_default();
        let title = catalogue.title(candidate.item).unwrap_or_default();
        println!("{:.4}  {id}  {title}", candidate.score.get());
    }
    Ok(())
}
