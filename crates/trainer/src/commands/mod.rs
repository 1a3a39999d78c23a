//! One command a file.

mod batch;
mod devices;
mod doctor;
mod evaluate;
mod export;
mod init;
mod list_form;
mod prepare;
mod publish;
mod recommend;
mod report;
mod reproduce;
mod run;
mod similar;
mod synth;
mod train;
mod trigrams;
mod tune;
mod why_not;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::speech;

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let output = cli.output;
    match cli.command {
        Command::Init {
            interactions,
            items,
            users,
            output: file,
            force,
        } => init::run(
            &init::Sources {
                interactions,
                items,
                users,
            },
            &file,
            force,
            output,
        ),
        Command::Doctor(recipe) => doctor::run(&recipe, output),
        Command::Prepare(recipe) => prepare::run(&recipe, output),
        Command::Train { recipe, only, resume } => train::run(&recipe, &only, resume, output),
        Command::Tune { recipe, trials } => tune::run(&recipe, trials, output),
        Command::Evaluate {
            recipe,
            segments,
            compare,
            output: file,
        } => {
            let wishes = evaluate::Wishes { segments, compare };
            evaluate::run(&recipe, wishes, file.as_deref(), output)
        }
        Command::Report {
            source,
            work,
            output: file,
        } => report::run(&source, &work, &file, output),
        Command::Publish {
            recipe,
            to,
            whole_log,
        } => publish::run(&recipe, &to, whole_log, output),
        Command::Run {
            recipe,
            to,
            whole_log,
            summary,
        } => run::run(&recipe, &to, whole_log, summary.as_deref(), output),
        Command::Recommend {
            bundle,
            user,
            n,
            explain,
        } => recommend::run(&bundle, &user, n, explain, output),
        Command::Batch {
            bundle,
            users,
            n,
            output: file,
        } => batch::run(&bundle, &users, n, &file, output),
        Command::Similar {
            bundle,
            item,
            n,
            channel,
        } => similar::run(&bundle, &item, n, channel.as_deref(), output),
        Command::WhyNot {
            bundle,
            user,
            item,
            n,
        } => why_not::run(&bundle, &user, &item, n, output),
        Command::Export {
            bundle,
            channel,
            what,
            format,
            output: file,
        } => export::run(&bundle, &channel, what, format, &file, output),
        Command::Synth {
            preset,
            marketplace,
            output: folder,
            force,
        } => synth::run(preset, &marketplace, &folder, force, output),
        Command::Devices => devices::run(output),
        Command::Trigrams { file } => trigrams::run(&file, output),
        Command::Reproduce {
            recipe,
            seeds,
            output: file,
        } => reproduce::run(&recipe, seeds, &file, output),
    }
}

/// For `--json`: the one object.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    speech::say(serde_json::to_string_pretty(value)?);
    Ok(())
}
