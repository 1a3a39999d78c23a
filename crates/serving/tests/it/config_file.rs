//! `serve.toml`: what it may say, and who wins.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use catchment_serving::{ConfigError, ServeConfig};
use clap::{CommandFactory, Parser};

use crate::process::PROGRAM;

fn write(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("serve.toml"), text).expect("written");
    folder
}

fn load(folder: &Path, flags: &[&str]) -> Result<ServeConfig, ConfigError> {
    let mut arguments = vec![OsString::from("catchment-serve"), "--config".into()];
    arguments.push(folder.join("serve.toml").into());
    arguments.extend(flags.iter().map(OsString::from));
    ServeConfig::load(arguments)
}

#[test]
fn the_example_has_every_key_and_the_values_of_the_defaults() {
    let example = include_str!("../../serve.example.toml");
    let folder = write(example);
    let mut config = load(folder.path(), &[]).expect("the example is good");
    assert_eq!(config.bundles, folder.path().join("bundles"));
    assert_eq!(config.data, folder.path().join("state"));
    let defaults = ServeConfig::parse_from(["catchment-serve", "--bundles", "bundles"]);
    (config.bundles, config.data, config.config) = (defaults.bundles.clone(), defaults.data.clone(), None);
    assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
    let table: toml::Table = example.parse().expect("TOML");
    for argument in ServeConfig::command().get_arguments() {
        let key = argument.get_id().as_str();
        assert!(
            table.contains_key(key) || ["config", "help", "version"].contains(&key),
            "the example lacks {key}"
        );
        if key != "help" && key != "version" {
            let variable = format!("CATCHMENT_SERVE_{}", key.to_uppercase());
            assert_eq!(
                argument.get_env().and_then(|name| name.to_str()),
                Some(variable.as_str())
            );
        }
    }
}

#[test]
fn a_flag_stands_above_a_variable_above_the_file_above_the_default() {
    let folder = write("bundles = \"nowhere\"\nlisten = \"127.0.0.1:1\"\nmax_body = 7\nlog = \"off\"");
    let config = load(folder.path(), &["--max-body", "9"]).expect("good");
    assert_eq!(
        (config.max_body, config.listen.port(), config.poll_ms),
        (9, 1, 500)
    );
    // Variables belong to a process: the program says which folder it looked at.
    let says = |bundles: &str, variable: bool, flag: bool| {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .arg("--config")
            .arg(folder.path().join("serve.toml"));
        if variable {
            command.env("CATCHMENT_SERVE_BUNDLES", "of-the-variable");
        }
        if flag {
            command.args(["--bundles", "of-the-flag"]);
        }
        let said = String::from_utf8(command.output().expect("run").stderr).expect("text");
        assert!(said.contains(bundles), "{said}");
    };
    says("nowhere", false, false);
    says("of-the-variable", true, false);
    says("of-the-flag", true, true);
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_the_nearest_key() {
    for (text, said) in [
        (
            "\nlistn = \"127.0.0.1:1\"",
            ":2: there is no key `listn`; `listen` is the nearest",
        ),
        (
            "timeout-ms = 5",
            ":1: there is no key `timeout-ms`; `timeout_ms` is the nearest",
        ),
        ("colour = 1", ":1: there is no key `colour`"),
        ("config = \"other.toml\"", ":1: there is no key `config`"),
        (
            "page = true\npoll_ms = 1",
            ":2: `poll_ms`: invalid value '1' for '--poll-ms <POLL_MS>': 1 is not in 10..",
        ),
        ("page = \"yes\"", ":1: `page`: invalid value 'yes'"),
        ("listen = \"nowhere\"", ":1: `listen`: invalid value 'nowhere'"),
        (
            "listen = [1]",
            ":1: `listen` is a text, a whole number, `true` or `false`",
        ),
        (
            "page = true\nbundles = 5",
            ":2: `bundles`: has to be a text, in quotes: bundles = \"…\"",
        ),
        ("log = true", ":1: `log`: has to be a text, in quotes"),
        (
            "max_body = 0",
            ":1: `max_body`: invalid value '0' for '--max-body <MAX_BODY>': 0 is not in 1..",
        ),
        ("page = true\nlisten = ", ":2: "),
        ("page = true\npage = true", ":2: duplicate key"),
    ] {
        let folder = write(text);
        let error = load(folder.path(), &[]).expect_err(text).to_string();
        let place = folder.path().join("serve.toml").display().to_string();
        assert!(error.starts_with(&format!("{place}{said}")), "{text}: {error}");
    }
    let empty = tempfile::tempdir().expect("temporary folder");
    assert!(matches!(load(empty.path(), &[]), Err(ConfigError::Read { .. })));
    // The program ends as with any other wrong use.
    let folder = write("listn = 1");
    let mut command = Command::new(PROGRAM);
    let output = command
        .env_clear()
        .arg("--config")
        .arg(folder.path().join("serve.toml"))
        .output();
    let output = output.expect("run");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("error: ") && said.contains("help: "), "{said}");
}
