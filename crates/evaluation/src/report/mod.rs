//! One run as one HTML file: readable offline, in light and dark, on paper, and without a script.
//!
//! [`RunReport`] is plain data, which a program fills and may keep as JSON; [`RunReport::to_html`] is a pure function of it.
//! The file needs nothing from anywhere: figures are inline SVG with a title and a description, and every text that comes
//! from data is escaped.

mod bars;
mod channels;
mod curves;
mod escape;
mod facts;
mod page;
mod score_tables;
mod search;
mod training;
mod vectors;
mod verdict;

use catchment_schema::Finding;
use serde::{Deserialize, Serialize};

use crate::attribution::Attribution;
use crate::metric_report::MetricReport;
use crate::paired::PairedDifference;
pub use facts::DataFacts;
pub use search::{SearchReport, SearchSetting, SearchTrial};
pub use training::TrainingCurve;
pub use vectors::{MapPoint, VectorMap};

/// All that a report shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run's name.
    pub name: String,
    /// The list that stands for the whole run.
    pub headline: String,
    /// The lists, in the order in which they are shown.
    pub lists: Vec<ListReport>,
    /// What each channel adds, where there are several.
    #[serde(default)]
    pub attribution: Option<Attribution>,
    /// What the vectors of channels look like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<VectorMap>,
    /// How towers were trained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trainings: Vec<TrainingCurve>,
    /// What the run is made of.
    pub facts: DataFacts,
    /// What a look at the data brought to light.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The configuration, as it was written.
    pub recipe: String,
    /// Programs and formats with their versions.
    pub versions: Vec<(String, String)>,
}

/// One list of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListReport {
    /// Its name.
    pub list: String,
    /// What was measured.
    pub report: MetricReport,
    /// How it differs from others on the same users.
    #[serde(default)]
    pub compared: Vec<Comparison>,
    /// What whoever compares should know.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One list against another, on the same users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The other one: a list of this run, or a bundle.
    pub against: String,
    /// Metric by metric: ours minus theirs.
    pub metrics: Vec<PairedDifference>,
    /// Over whom, where not over everybody who was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common: Option<CommonUsers>,
}

/// The users over whom two runs on different data can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonUsers {
    /// How many they are.
    pub users: usize,
    /// How many were judged.
    pub of: usize,
    /// How many of the others the other run does not know, or of whose held-out items it does not know one.
    pub unknown: usize,
    /// How many of the others had a held-out item in what the other run was trained on.
    pub seen: usize,
}

impl RunReport {
    /// The whole page.
    pub fn to_html(&self) -> String {
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut page);
        page
    }

    /// What the run comes to, in a sentence or two of plain words.
    pub fn verdict(&self) -> String {
        verdict::verdict(self)
    }

    fn write(&self, page: &mut String) -> std::fmt::Result {
        page::begin(page, self)?;
        score_tables::write(page, self)?;
        curves::write(page, self)?;
        bars::write(page, self)?;
        channels::write(page, self)?;
        score_tables::write_comparisons(page, self)?;
        vectors::write(page, self)?;
        training::write(page, self)?;
        facts::write(page, self)?;
        page::end(page, self)
    }

    fn headline(&self) -> Option<&ListReport> {
        let named = self.lists.iter().find(|list| list.list == self.headline);
        named.or(self.lists.last())
    }

    /// Metrics with their cut-offs, in order: `("recall", [10, 20])`.
    fn families(&self) -> Vec<(String, Vec<usize>)> {
        let names = self.lists.first().map(|list| list.report.metrics.keys());
        families(names.into_iter().flatten())
    }
}

fn families<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, Vec<usize>)> {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for name in names {
        let Some((family, k)) = name.split_once('@') else {
            continue;
        };
        let Ok(k) = k.parse() else { continue };
        match families.last_mut().filter(|(last, _)| last == family) {
            Some((_, ks)) => ks.push(k),
            None => families.push((family.to_owned(), vec![k])),
        }
    }
    families
}
