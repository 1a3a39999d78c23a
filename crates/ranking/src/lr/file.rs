//! The ranker's folder.

use std::path::Path;

use catchment_models::factorization::lr::LogisticRegression;
use catchment_schema::{AtomicFile, Error};
use serde::{Deserialize, Serialize};

use super::LrRanker;
use super::config::check_negative_rate;
use crate::layout::Shapes;
use crate::{Calibration, Layout, RankError};

/// Everything but the weights, as JSON; written last.
pub const RANKER_FILE: &str = "ranker.json";
/// The weights, as [`LogisticRegression::save`] writes them.
pub const WEIGHTS_FILE: &str = "weights.parquet";
const KIND: &str = "lr";
const FORMAT: u32 = 1;

/// What stands in [`RANKER_FILE`] whatever the version.
#[derive(Deserialize)]
struct Header {
    kind: String,
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    kind: String,
    format: u32,
    feature_fingerprint: String,
    negative_rate: f64,
    calibration: Calibration,
    layout: Shapes,
}

impl LrRanker {
    /// Writes [`WEIGHTS_FILE`] and [`RANKER_FILE`] into `folder`, each whole or not at all.
    ///
    /// # Errors
    /// [`RankError::Model`], [`RankError::File`] when the folder cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), RankError> {
        let folder = folder.as_ref();
        self.model.save(folder.join(WEIGHTS_FILE))?;
        let contents = Contents {
            kind: KIND.to_owned(),
            format: FORMAT,
            feature_fingerprint: self.feature_fingerprint.clone(),
            negative_rate: self.negative_rate,
            calibration: self.calibration.clone(),
            layout: self.layout.shapes().clone(),
        };
        let path = folder.join(RANKER_FILE);
        let mut bytes = serde_json::to_vec_pretty(&contents).map_err(|error| damaged(&path, &error))?;
        bytes.push(b'\n');
        Ok(AtomicFile::write(path, &bytes)?)
    }

    /// Opens what [`LrRanker::save`] wrote. The caller compares [`LrRanker::feature_fingerprint`] with its
    /// features and calls [`crate::Ranker::prepare_items`].
    ///
    /// # Errors
    /// [`RankError::File`] for a file that is missing, damaged or of a newer version; [`RankError::Model`] for the
    /// weights' file; [`RankError::WrongShape`] when the two do not belong together.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RankError> {
        let folder = folder.as_ref();
        let path = folder.join(RANKER_FILE);
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let header: Header = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
        if header.kind != KIND || header.format > FORMAT || header.format == 0 {
            let found = format!("{} {}", header.kind, header.format);
            return Err(Error::WrongVersion {
                path,
                kind: "lr ranker",
                found,
                supported: FORMAT,
            }
            .into());
        }
        let contents: Contents = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
        if let Some(complaint) = contents.calibration.complaint() {
            return Err(damaged(&path, &complaint).into());
        }
        check_negative_rate(contents.negative_rate).map_err(|error| damaged(&path, &error))?;
        Self::new(
            Layout::new(contents.layout)?,
            LogisticRegression::open(folder.join(WEIGHTS_FILE))?,
            contents.calibration,
            contents.negative_rate,
            contents.feature_fingerprint,
        )
    }
}

fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Inconsistent {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_and_foreign_folders_are_refused() {
        let layout = Layout::new(Shapes::default()).expect("narrow enough");
        let model = LogisticRegression {
            weights: vec![],
            bias: 0.5,
        };
        let ranker = LrRanker::new(layout, model, Calibration::None, 1.0, "print").expect("fits together");
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(RANKER_FILE);
        let open = || LrRanker::open(folder.path()).expect_err("refused");
        assert!(matches!(open(), RankError::File(Error::Io { .. })));
        ranker.save(folder.path()).expect("saved");
        let good = std::fs::read_to_string(&path).expect("read");
        for (from, to) in [
            ("\"lr\"", "\"deepfm\""),
            ("\"format\": 1", "\"format\": 2"),
            ("\"format\": 1", "\"format\": 0"),
        ] {
            std::fs::write(&path, good.replace(from, to)).expect("written");
            let error = open();
            assert!(
                matches!(error, RankError::File(Error::WrongVersion { .. })),
                "{to}: {error}"
            );
        }
        for (from, to) in [
            ("{", ""),
            ("\"negative_rate\": 1.0", "\"negative_rate\": 0.0"),
            ("\"negative_rate\"", "\"positive_rate\""),
            (
                "\"kind\": \"none\"",
                "\"kind\": \"platt\", \"slope\": -1.0, \"intercept\": 0.0",
            ),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            std::fs::write(&path, bad).expect("written");
            let error = open();
            assert!(
                matches!(error, RankError::File(Error::Inconsistent { .. })),
                "{to}: {error}"
            );
        }
        let wider = good.replace("\"user\": []", "\"user\": [{\"dense\": {\"width\": 2}}]");
        std::fs::write(&path, wider).expect("written");
        assert!(matches!(open(), RankError::WrongShape { .. }));
        std::fs::remove_file(folder.path().join(WEIGHTS_FILE)).expect("removed");
        assert!(matches!(open(), RankError::Model(_)));
    }
}
