//! What is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use catchment_schema::import::{
    ImportReport, Source, Table, import_interactions, import_items, import_users,
};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::log::{Log, Part};
use crate::run::Imported;
use crate::workshop::Workshop;

/// The logs and tables of one dataset: the `[data]` table of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The log.
    pub interactions: Source,
    /// A test log of its own, for `split.kind = "given"`. Its extra columns are cast to the types of those in
    /// `interactions`; ones that `interactions` lacks are left out.
    #[serde(default)]
    pub test: Option<Source>,
    /// Attributes of items. Items that nobody touched are left out.
    #[serde(default)]
    pub items: Option<Source>,
    /// Attributes of users. Users who touched nothing are left out.
    #[serde(default)]
    pub users: Option<Source>,
}

impl Inputs {
    /// Every source, with the table that it holds.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (Table, &Source)> {
        let logs = [Some(&self.interactions), self.test.as_ref()];
        let logs = logs.map(|source| (Table::Interactions, source));
        let tables = [
            (Table::Items, self.items.as_ref()),
            (Table::Users, self.users.as_ref()),
        ];
        logs.into_iter()
            .chain(tables)
            .filter_map(|(table, source)| Some((table, source?)))
    }

    /// A log, and nothing else.
    pub fn new(interactions: Source) -> Self {
        Self {
            interactions,
            test: None,
            items: None,
            users: None,
        }
    }
}

/// Reads everything.
pub(crate) fn import(inputs: &Inputs, workshop: Arc<Workshop>) -> Result<Imported> {
    workshop.meter.begin("import", None);
    let mut imported = Imported {
        log: Log::new(workshop),
        dataset: file_name(&inputs.interactions),
        ..Imported::default()
    };
    let logs = [
        (Part::Train, Some(&inputs.interactions)),
        (Part::Test, inputs.test.as_ref()),
    ];
    for (part, source) in logs {
        let Some(source) = source else { continue };
        let log: &mut Log = &mut imported.log;
        let path = Path::new(&source.path);
        let report = import_interactions(source, &mut |batch| log.push(path, part, &batch))?;
        imported.findings.extend(report.findings);
    }
    if let Some(source) = &inputs.items {
        imported.items = Some(table(source, import_items(source)?, &mut imported));
    }
    if let Some(source) = &inputs.users {
        imported.users = Some(table(source, import_users(source)?, &mut imported));
    }
    Ok(imported)
}

fn table<T>(source: &Source, (rows, report): (T, ImportReport), imported: &mut Imported) -> (PathBuf, T) {
    imported.findings.extend(report.findings);
    (PathBuf::from(&source.path), rows)
}

/// The last part of the path: the files that are written must not depend on where the log lay.
fn file_name(source: &Source) -> String {
    let name = Path::new(&source.path).file_name();
    name.map_or_else(|| source.path.clone(), |name| name.to_string_lossy().into_owned())
}
