//! The steps of a preparation, one after the other.

use std::sync::Arc;

use crate::Stage;
use crate::workshop::Workshop;

/// Tells the meter how far it is, and keeps what the summary will say.
pub(crate) struct Steps {
    workshop: Arc<Workshop>,
    pub(crate) stages: Vec<Stage>,
}

impl Steps {
    pub(crate) fn new(workshop: Arc<Workshop>) -> Self {
        Self {
            workshop,
            stages: vec![],
        }
    }

    /// A step begins; it cannot give more rows than the one before it.
    pub(crate) fn begin(&self, name: &'static str) {
        let before = self.stages.last().map(|stage| stage.rows);
        self.workshop.meter.begin(name, before);
    }

    pub(crate) fn done(&mut self, name: &'static str, rows: u64) {
        self.workshop.meter.done(name, rows);
        self.stages.push(Stage {
            name: name.to_owned(),
            rows,
        });
    }
}
