//! What a user sees when something goes wrong: what, why, and what to do next.

use std::process::ExitCode;

use crate::recipe::RecipeError;
use crate::shown::NothingKnown;
use crate::speech;

/// A command that did not do its work.
pub(crate) struct Failure {
    error: anyhow::Error,
    help: Option<String>,
    wrong_use: bool,
}

impl Failure {
    /// The command line, not the work, is to blame.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            error: anyhow::anyhow!(message.into()),
            help: Some(help.into()),
            wrong_use: true,
        }
    }

    /// With what to do about it.
    pub(crate) fn with_help(error: impl Into<anyhow::Error>, help: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            help: Some(help.into()),
            wrong_use: false,
        }
    }

    /// The command line to blame where the error is of one kind: what may also stand in a recipe came from there.
    pub(crate) fn blame_command_line<E>(self, is_of_kind: impl FnOnce(&E) -> bool) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let wrong_use = self.wrong_use || self.error.downcast_ref().is_some_and(is_of_kind);
        Self { wrong_use, ..self }
    }

    /// As [`Failure::blame_command_line`], for a file that the command line names and that is not there.
    pub(crate) fn blame_missing_file(self) -> Self {
        use catchment_schema::Error as E;
        self.blame_command_line(|error: &E| match error {
            E::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            E::NoFiles { .. } => true,
            _ => false,
        })
    }

    /// `1` where the work failed, `2` for wrong use.
    pub(crate) fn exit_code(&self) -> ExitCode {
        use catchment_bundle::Error as B;
        use catchment_pipeline::Error as E;
        // Only a command line names a channel that a bundle may not have.
        let names_a_wrong_channel = matches!(
            self.error.downcast_ref(),
            Some(E::UnknownChannel { .. } | E::NoVectors { .. } | E::NotSimilar { .. })
        );
        // And only a command line names a bundle, or a folder of bundles, and a recipe.
        let names_no_bundle = matches!(
            self.error.downcast_ref(),
            Some(B::NoFolder { .. } | B::NoCurrent { .. } | B::NotABundle { .. })
        );
        let names_no_recipe = self.error.downcast_ref().is_some_and(RecipeError::is_missing);
        // And one to compare with.
        let names_a_wrong_bundle = matches!(
            self.error.downcast_ref(),
            Some(catchment_evaluation::Error::NotPaired { .. })
        );
        ExitCode::from(
            if self.wrong_use
                || names_a_wrong_channel
                || names_no_bundle
                || names_no_recipe
                || names_a_wrong_bundle
            {
                2
            } else {
                1
            },
        )
    }

    /// What went wrong, with all causes in one sentence, and what to do.
    pub(crate) fn told(&self) -> (String, Option<String>) {
        let (what, causes) = sentences(&self.error);
        let what = std::iter::once(what).chain(causes).collect::<Vec<_>>().join(": ");
        (what, self.help.clone().or_else(|| known_help(&self.error)))
    }

    /// Whether a training's loss was no number any more.
    pub(crate) fn is_diverged(&self) -> bool {
        use catchment_models::Error as M;
        use catchment_ranking::RankError as R;
        let is_model = matches!(self.error.downcast_ref(), Some(M::Diverged { .. }));
        is_model || matches!(self.error.downcast_ref(), Some(R::Model(M::Diverged { .. })))
    }

    /// Whether a file or a device failed, which no settings are to blame for.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        let is_device = matches!(
            self.error.downcast_ref(),
            Some(catchment_models::Error::Device { .. })
        );
        is_device
            || self
                .error
                .chain()
                .any(<dyn std::error::Error>::is::<std::io::Error>)
    }

    /// Said of something.
    pub(crate) fn about(self, what: String) -> Self {
        Self {
            error: self.error.context(what),
            ..self
        }
    }

    /// The error alone.
    pub(crate) fn into_error(self) -> anyhow::Error {
        self.error
    }

    /// To stderr: three lines, or one JSON object.
    pub(crate) fn print(&self, json: bool) {
        let (what, causes) = sentences(&self.error);
        let help = self.help.clone().or_else(|| known_help(&self.error));
        if json {
            let object = serde_json::json!({ "error": what, "causes": causes, "help": help });
            speech::aside(object.to_string());
            return;
        }
        speech::aside(format!("error: {what}"));
        for cause in causes {
            speech::aside(format!("cause: {cause}"));
        }
        if let Some(help) = help {
            speech::aside(format!("help: {help}"));
        }
    }
}

/// What went wrong, and why; nothing twice. A transparent error says what its source says, others end in it.
fn sentences(error: &anyhow::Error) -> (String, Vec<String>) {
    let what = error.to_string();
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        let said = causes.last().unwrap_or(&what);
        if !said.contains(&cause) {
            causes.push(cause);
        }
    }
    (what, causes)
}

/// What the error itself knows about its remedy: the innermost that knows one, since it knows most. A transparent
/// error hides the one inside from the chain, so that each kind asks its own.
fn known_help(error: &anyhow::Error) -> Option<String> {
    error.chain().filter_map(help_of).last()
}

fn help_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<RecipeError>() {
        return Some(error.help.clone());
    }
    if error.is::<NothingKnown>() {
        return Some("correct `shown.separator`, or name the column with the ids of items".to_owned());
    }
    let help = if let Some(error) = error.downcast_ref::<catchment_schema::Error>() {
        error.help()
    } else if let Some(error) = error.downcast_ref::<catchment_bundle::Error>() {
        error.help()
    } else if let Some(error) = error.downcast_ref::<catchment_prepare::Error>() {
        error.help()
    } else if let Some(error) = error.downcast_ref::<catchment_models::Error>() {
        of_models(error)?
    } else if let Some(error) = error.downcast_ref::<catchment_features::Error>() {
        of_features(error)?
    } else if error.is::<catchment_sampling::SamplingError>() {
        "change that key in the recipe"
    } else if let Some(error) = error.downcast_ref::<catchment_evaluation::Error>() {
        of_evaluation(error)?
    } else if let Some(error) = error.downcast_ref::<catchment_pipeline::Error>() {
        of_pipeline(error)?
    } else if let Some(catchment_synthetic::Error::Write(error)) = error.downcast_ref() {
        error.help()
    } else if let Some(catchment_ranking::RankError::File(error)) = error.downcast_ref() {
        error.help()
    } else {
        return None;
    };
    Some(help.to_owned())
}

fn of_models(error: &catchment_models::Error) -> Option<&'static str> {
    use catchment_models::Error as E;
    Some(match error {
        E::Config { .. } | E::Sampling(_) | E::Features(catchment_features::Error::BadConfig { .. }) => {
            "change that key in the recipe"
        }
        E::NoInteractions => "check the filters of [prepare] and the split: nothing is left to learn from",
        E::NoSessions => {
            "make the sessions wider (`sessions` of the channel), or use a kind of channel that needs none"
        }
        E::MissingTimes { .. } => "map a time column in [data], or take what needs times out of the recipe",
        E::NoPairs => "make the sessions' gap or the window wider, or `subsample` larger: no two items meet",
        E::Diverged { model: "sgns" } => "set a lower learning_rate in the model's settings",
        E::Diverged { .. } => "set a larger regularization in the model's settings",
        E::MissingColumn { .. } => {
            "name one of those columns in the recipe, or bring the items' file in [data]"
        }
        E::NoGoals => "name another event in `objective.goal`, or take `types` out",
        E::Stopped => "start it again",
        E::Column { .. } => "name another column in the recipe, or bring the attributes in [data]",
        E::OtherRun { .. } => "take the file away, or fit everything anew with --fresh",
        E::UnknownItem { .. } | E::UnknownSessionItem { .. } => "prepare the data again, then train",
        E::File(error) => error.help(),
        _ => return None,
    })
}

fn of_features(error: &catchment_features::Error) -> Option<&'static str> {
    use catchment_features::Error as E;
    Some(match error {
        E::BadConfig { .. } | E::WrongSide { .. } | E::UnknownChannel { .. } | E::BadSpace { .. } => {
            "change that feature in the recipe"
        }
        E::MissingColumn { .. } => "name another column in [features], or bring the attributes in [data]",
        E::WrongType { .. } => "cast the column before import, or take another kind of feature",
        E::NoTimes { .. } => "move the feature to item = [ … ] in [features]",
        E::WrongVersion { .. } | E::BadFile { .. } | E::FingerprintMismatch { .. } => "train again",
        E::File(error) => error.help(),
        E::OtherVocabulary | E::RowCount { .. } => "prepare and train again: files of two runs were mixed",
        _ => return None,
    })
}

fn of_evaluation(error: &catchment_evaluation::Error) -> Option<&'static str> {
    use catchment_evaluation::Error as E;
    Some(match error {
        E::Config { .. } => "change that key of [evaluate] in the recipe",
        E::NoTruth => "hold more out in [split], or bring more data",
        E::NotPaired { .. } => {
            "compare with a bundle that was published from this very log by the same [prepare] and [split]"
        }
        E::NoSuchSegment { .. } => "choose among those in [evaluate] or --segments",
        E::SeveralChannels { .. } => "write a file for each channel, and name them in [lists]",
        E::Schema(error) => error.help(),
        E::ListedTwice { .. } | E::RankGap { .. } | E::NotARanking { .. } => {
            "number each user's list 1, 2, 3, … with each item once"
        }
        _ => return None,
    })
}

fn of_pipeline(error: &catchment_pipeline::Error) -> Option<&'static str> {
    use catchment_pipeline::Error as E;
    Some(match error {
        E::Spec { .. } | E::Channel { .. } | E::Part { .. } | E::FingerprintMismatch { .. } => {
            "train and publish again: the files are damaged, or of two runs"
        }
        E::Schema(error) => error.help(),
        E::Bundle(error) => error.help(),
        E::Spaces(error) => of_features(error)?,
        E::GoldenMismatch { .. } => "publish again with this program, or open it with the one that made it",
        E::UnknownChannel { .. } => "name one of these channels",
        E::NothingSimilar => {
            "add a channel of kind item_cf, swing, ials, item2vec, airbnb or of towers to the recipe"
        }
        E::NoVectors { .. } => "name a channel of kind ials, item2vec, airbnb or of towers",
        E::NoOutputVectors { .. } => "name a channel of kind item2vec or airbnb, or --what items",
        E::NotSimilar { .. } => {
            "name a channel of kind item_cf, swing, ials, item2vec, airbnb or of towers, or none"
        }
        _ => return None,
    })
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            help: None,
            wrong_use: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_said_once() {
        let io = std::io::Error::other("no room");
        let error = catchment_schema::Error::io("a.csv")(io);
        let error = anyhow::Error::from(catchment_prepare::Error::from(error));
        assert_eq!(sentences(&error), ("a.csv: no room".to_owned(), vec![]));
        let error = error.context("channel `ials`");
        let expected = ("channel `ials`".to_owned(), vec!["a.csv: no room".to_owned()]);
        assert_eq!(sentences(&error), expected);
    }

    #[test]
    fn the_innermost_remedy_is_given() {
        let error = anyhow::Error::from(catchment_models::Error::NoInteractions).context("channel `ials`");
        assert!(known_help(&error).is_some_and(|help| help.contains("[prepare]")));
        assert_eq!(known_help(&anyhow::anyhow!("something else")), None);
    }
}
