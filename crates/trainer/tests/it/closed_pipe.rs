//! A reader who has gone, as `head` does after its lines, is no failure.

use crate::place::Place;

#[test]
fn commands_end_in_peace_where_nobody_reads_what_they_print() {
    let place = Place::with_bundle();
    for arguments in [
        "--help",
        "--version",
        "recommend --bundle bundles --user u0",
        "recommend --bundle bundles --user u0 --explain",
        "recommend --bundle bundles --user u0 --json",
        "recommend --bundle bundles --user nobody",
        "similar --bundle bundles --item i0",
        "why-not --bundle bundles --user u0 --item i0",
        "export --bundle bundles --channel ials --what items -o i.npy",
        "init --interactions interactions.csv --items items.csv -o new.toml --force",
        "synth --preset tiny -o made --force",
        "doctor catchment.toml",
        "run catchment.toml",
        "report catchment.toml",
        "evaluate catchment.toml --json",
    ] {
        let (code, said) = place.run_unheard(arguments);
        assert_eq!(code, Some(0), "{arguments}: {said}");
        assert!(!said.contains("panicked"), "{arguments}: {said}");
    }
    assert!(place.path("new.toml").exists(), "what was to be done was done");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_printed_for_another_reason_is_a_failure() {
    let place = Place::with_bundle();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("opened");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_catchment-train"))
        .args(["recommend", "--bundle", "bundles", "--user", "u0"])
        .current_dir(place.path(""))
        .stdout(full)
        .output()
        .expect("started");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: the result cannot be printed\ncause: "),
        "{said}"
    );
}
