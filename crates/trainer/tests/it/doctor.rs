//! `catchment-train doctor`: what it says of data, and its exit code.

use catchment_schema::{Finding, Severity};

use crate::place::Place;

const SOUND: &str = "user_id,item_id,timestamp\n\
    u1,a,2026-01-01\nu1,b,2026-01-02\nu1,c,2026-01-03\nu2,b,2026-01-01\nu2,c,2026-01-02\nu2,a,2026-01-03\n";

const RECIPE: &str = "name = \"shop\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\" }\n\
    [split]\nkind = \"leave-last\"\n[[channel]]\nname = \"popular\"\nkind = \"popular\"\n\
    [evaluate]\nks = [2]\nmetrics = [\"recall\"]\n";

fn place(log: &str) -> Place {
    let place = Place::empty();
    place.write("catchment.toml", RECIPE);
    place.write("log.csv", log);
    place
}

fn findings(place: &Place) -> Vec<Finding> {
    serde_json::from_str(&place.read("work/shop/findings.json")).expect("a list of findings")
}

#[test]
fn sound_data_passes_and_its_numbers_are_told() {
    let place = place(SOUND);
    let said = place.run("doctor catchment.toml").well();
    assert!(said.contains("6 rows, 2 users, 3 items"), "{said}");
    assert!(said.contains("0 errors"), "{said}");
    assert!(
        findings(&place)
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    );
    let json = place.run("doctor catchment.toml --json").json();
    assert_eq!((&json["facts"]["rows"], &json["errors"]), (&6.into(), &0.into()));
}

#[test]
fn an_error_fails_with_examples_and_a_remedy_and_is_left_for_a_report() {
    let place = place(&SOUND.replace("u2,a,2026-01-03", "u2,a,1970-01-01"));
    let said = place.run("doctor catchment.toml");
    assert_eq!(said.code, 1);
    assert!(
        said.stdout.contains("error time_in_1970: 1 of 6 rows"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("log.csv:7: user \"u2\""), "{}", said.stdout);
    assert!(said.stdout.contains("remedy: check time_unit"), "{}", said.stdout);
    assert!(
        said.stderr
            .starts_with("error: the doctor found 1 error in the data"),
        "{}",
        said.stderr
    );
    assert_eq!(findings(&place)[0].code, "time_in_1970", "the worst first");
    let said = place.run("doctor catchment.toml --json");
    let json: serde_json::Value = serde_json::from_str(&said.stdout).expect("one object");
    assert_eq!((said.code, &json["errors"]), (1, &1.into()));
}

#[test]
fn data_that_cannot_be_prepared_is_a_finding() {
    let place = place("user_id,item_id\nu1,a\nu1,b\nu2,a\nu2,b\n");
    place.replace(
        "catchment.toml",
        "kind = \"leave-last\"",
        "kind = \"temporal\"\nat = 0.5",
    );
    assert_eq!(place.run("doctor catchment.toml").code, 1);
    let findings = findings(&place);
    assert_eq!(findings[0].code, "not_prepared");
    assert!(findings[0].message.contains("timestamp"), "{findings:?}");
}

/// Each of two users did the same thing twice at one moment, the second time as their last event.
const REPEATED: &str = "user_id,item_id,timestamp\n\
    u1,a,2026-01-01\nu1,c,2026-01-03\nu1,c,2026-01-03\nu2,b,2026-01-01\nu2,a,2026-01-02\nu2,a,2026-01-02\n";

#[test]
fn an_event_that_the_log_repeats_is_no_error_of_the_split_and_a_run_says_what_the_doctor_found() {
    let place = place(REPEATED);
    let said = place.run("run catchment.toml").well();
    assert!(
        said.contains("doctor: has not looked at these data yet: catchment-train doctor catchment.toml"),
        "{said}"
    );
    let said = place.run("doctor catchment.toml").well();
    assert!(
        said.contains("warning train_test_overlap: 2 of 2 test events"),
        "{said}"
    );
    assert!(said.contains("0 errors, 2 warnings, "), "{said}");
    let said = place.run("run catchment.toml").well();
    assert!(
        said.contains("doctor: 0 errors, 2 warnings (duplicate_events, train_test_overlap); examples"),
        "{said}"
    );
    // Other data were not looked at.
    place.write("log.csv", SOUND);
    let said = place.run("run catchment.toml").well();
    assert!(said.contains("doctor: has not looked"), "{said}");
}

#[test]
fn what_the_recipe_takes_care_of_is_not_advised_again() {
    let place = place(REPEATED);
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\ndeduplicate = \"last\"\n[split]",
    );
    let said = place.run("doctor catchment.toml").well();
    assert!(
        said.contains(
            "note duplicate_events: 2 of 6 rows repeat another in user, item, time and event; deduplicate = \"last\" in \
             [prepare] leaves them out"
        ),
        "{said}"
    );
    assert!(!said.contains("set deduplicate"), "{said}");
    assert!(said.contains("0 errors, 0 warnings, 1 note"), "{said}");
}

#[test]
fn a_log_that_cannot_be_prepared_stops_a_run_and_the_doctor_says_so() {
    let place = place(SOUND);
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nevents = [\"buy\"]\n[split]",
    );
    let said = place.run("doctor catchment.toml");
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("error not_prepared"), "{}", said.stdout);
    assert!(said.stderr.contains("`run` stops there"), "{}", said.stderr);
    assert_eq!(place.run("run catchment.toml").code, 1);
    // Any other error only makes the figures untrue.
    let place = self::place(&SOUND.replace("u2,a,2026-01-03", "u2,a,1970-01-01"));
    let said = place.run("doctor catchment.toml");
    assert!(
        said.stderr.contains("`run` goes on all the same"),
        "{}",
        said.stderr
    );
    place.run("run catchment.toml").well();
}

#[test]
fn a_run_says_where_the_figures_cannot_be_trusted() {
    let place = place(&SOUND.replace("u2,a,2026-01-03", "u2,a,1970-01-01"));
    assert_eq!(place.run("doctor catchment.toml").code, 1);
    let said = place.run("run catchment.toml").well();
    assert!(said.contains("doctor: 1 error (time_in_1970)"), "{said}");
    assert!(said.contains("no figure above can be trusted"), "{said}");
}

#[test]
fn a_bad_line_is_called_a_line_and_an_empty_cell_one() {
    let place = place(&SOUND.replace("u2,c,", ",c,"));
    let said = place.refuse("run catchment.toml");
    assert!(
        said.contains("log.csv: line 6, column `user_id`: an id must not be null or empty (an empty cell)"),
        "{said}"
    );
}
