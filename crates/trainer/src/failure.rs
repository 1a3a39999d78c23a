//! What a user sees when something goes wrong: what, why, and what to do next.

use std::process::ExitCode;

use crate::recipe::RecipeError;

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

    /// `1` where the work failed, `2` for wrong use.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.wrong_use { 2 } else { 1 })
    }

    /// To stderr: three lines, or one JSON object.
    pub(crate) fn print(&self, json: bool) {
        let mut messages: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        // A transparent error says what its source says.
        messages.dedup();
        let what = messages.remove(0);
        let help = self.help.clone().or_else(|| known_help(&self.error));
        if json {
            let object = serde_json::json!({ "error": what, "causes": messages, "help": help });
            eprintln!("{object}");
            return;
        }
        eprintln!("error: {what}");
        for cause in messages {
            eprintln!("cause: {cause}");
        }
        if let Some(help) = help {
            eprintln!("help: {help}");
        }
    }
}

/// What the error itself knows about its remedy.
fn known_help(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<RecipeError>() {
            return Some(error.help.clone());
        }
        if let Some(error) = cause.downcast_ref::<catchment_schema::Error>() {
            return Some(error.help().to_owned());
        }
        cause
            .downcast_ref::<catchment_bundle::Error>()
            .map(|error| error.help().to_owned())
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
