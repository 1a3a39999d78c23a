//! `catchment-train similar`.

use catchment_pipeline::Scratch;
use serde_json::json;

use super::print_json;
use crate::cli::{BundleArgs, Output};
use crate::failure::Failure;
use crate::speech;
use crate::tables;

pub(crate) fn run(
    args: &BundleArgs,
    item_id: &str,
    n: usize,
    channel: Option<&str>,
    output: Output,
) -> Result<(), Failure> {
    let pipeline = super::batch::open(&args.bundle, output)?;
    let catalogue = pipeline.catalogue();
    let item = catalogue.items().item(item_id).ok_or_else(|| {
        Failure::usage(
            format!("the bundle does not know item {item_id:?}"),
            "item ids are those of the log",
        )
    })?;
    let (name, found) = pipeline.similar(item, n, catalogue.now(), channel, &mut Scratch::default())?;
    let id = |item: catchment_schema::ItemIdx| catalogue.items().id(item.index()).unwrap_or("?");
    if output.json {
        let items = (1..).zip(&found).map(|(rank, scored): (u32, _)| {
            json!({
                "item_id": id(scored.item), "rank": rank, "score": scored.score,
                "title": catalogue.title(scored.item),
            })
        });
        let items: Vec<_> = items.collect();
        return print_json(&json!({ "item_id": item_id, "channel": name, "items": items }));
    }
    let title = catalogue
        .title(item)
        .map_or(String::new(), |title| format!(" ({title})"));
    speech::say(format!("near {item_id}{title} by {name}:"));
    let rows: Vec<Vec<String>> = (1..)
        .zip(&found)
        .map(|(rank, scored): (u32, _)| {
            let title = catalogue.title(scored.item).unwrap_or_default().to_owned();
            vec![
                format!("{rank}."),
                id(scored.item).to_owned(),
                format!("{:.4}", scored.score.get()),
                title,
            ]
        })
        .collect();
    speech::say(
        tables::render(&["", "item", "score", "title"].map(str::to_owned), &rows).trim_end_matches('\n'),
    );
    Ok(())
}
