//! Each fault is found in a log that has it, and not in one that has not.

use std::path::Path;

use catchment_prepare::doctor::{examine, examine_split};
use catchment_prepare::{Inputs, PrepareConfig, Prepared, SplitConfig, SplitKind, prepare};
use catchment_schema::import::{Format, Source};
use catchment_schema::{Finding, Severity, Time};

/// Nothing is wrong with this one.
const SOUND: &str = "user_id,item_id,timestamp,event,device
ann,tea,2026-03-01T10:00:00Z,view,phone
ann,cup,2026-03-01T10:01:00Z,buy,desk
ann,pot,2026-03-02T18:30:00Z,view,phone
bob,cup,2026-03-01T09:00:00Z,view,phone
bob,tea,2026-03-01T09:20:00Z,buy,phone
bob,jug,2026-03-03T12:00:00Z,view,desk
";

fn now() -> Time {
    Time::from_millis(1_780_000_000_000)
}

fn csv(folder: &Path, name: &str, text: &str) -> Source {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    Source::new(path.to_string_lossy(), Format::Csv)
}

/// The findings of a log, without its folder.
fn found(log: &str) -> Vec<Finding> {
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs::new(csv(home.path(), "log.csv", log));
    let mut findings = examine(&inputs, now()).expect("readable").findings;
    let folder = format!("{}/", home.path().display());
    for finding in &mut findings {
        finding.message = finding.message.replace(&folder, "");
        for example in &mut finding.examples {
            *example = example.replace(&folder, "");
        }
    }
    findings
}

/// The one finding with this code; it says what to do, and the sound log does not have it.
fn only(log: &str, code: &str, severity: Severity) -> Finding {
    assert!(found(SOUND).iter().all(|finding| finding.code != code), "{code}");
    let findings: Vec<Finding> = found(log)
        .into_iter()
        .filter(|finding| finding.code == code)
        .collect();
    let [finding] = &findings[..] else {
        panic!("{code}: {findings:?}");
    };
    assert_eq!(finding.severity, severity);
    assert!(
        !finding.remedy.is_empty() && !finding.examples.is_empty(),
        "{finding:?}"
    );
    finding.clone()
}

#[test]
fn a_sound_log_has_no_finding_and_its_numbers_are_told() {
    assert_eq!(found(SOUND), []);
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs::new(csv(home.path(), "log.csv", SOUND));
    let facts = examine(&inputs, now()).expect("readable").facts;
    assert_eq!(
        (facts.rows, facts.users, facts.items, facts.timed_rows),
        (6, 2, 4, 6)
    );
    assert!((facts.density - 0.75).abs() < 1e-9);
    assert_eq!(facts.rows_of_a_user, [3, 3, 3, 3]);
    assert_eq!(facts.rows_of_an_item, [1, 1, 2, 2]);
    assert!(
        (facts.tail[0].rows - 2.0 / 6.0).abs() < 1e-9,
        "one item of four: {:?}",
        facts.tail
    );
    assert_eq!(facts.events, [("view".to_owned(), 4), ("buy".to_owned(), 2)]);
    assert!(facts.first_time < facts.last_time);
}

#[test]
fn times_that_cannot_be_are_errors() {
    let future = only(
        &SOUND.replace("2026-03-03", "2126-03-03"),
        "time_in_future",
        Severity::Error,
    );
    assert!(future.message.starts_with("1 of 6 rows"), "{future:?}");
    assert_eq!(
        future.examples,
        ["log.csv:7: user \"bob\", time 2126-03-03T12:00:00Z"]
    );
    let missing = only(
        &SOUND.replace("2026-03-01T09:00", "1970-01-01T00:00"),
        "time_in_1970",
        Severity::Error,
    );
    assert!(
        missing.examples[0].starts_with("log.csv:5: user \"bob\""),
        "{missing:?}"
    );
}

#[test]
fn a_broken_order_of_times_is_found() {
    let broken = only(
        &SOUND.replace("2026-03-02T18", "2026-02-02T18"),
        "time_order_broken",
        Severity::Warning,
    );
    assert_eq!(broken.examples.len(), 1);
    assert!(
        broken.examples[0].starts_with("log.csv:4: user \"ann\""),
        "{broken:?}"
    );
}

#[test]
fn an_order_that_contradicts_the_times_is_an_error() {
    let with_order = |last: u32| {
        format!(
            "user_id,item_id,timestamp,order\nann,tea,2026-03-01,1\nann,cup,2026-03-02,2\nann,pot,2026-03-03,{last}\n\
             bob,tea,2026-03-01,1\nbob,cup,2026-03-02,2\n"
        )
    };
    assert!(
        found(&with_order(3))
            .iter()
            .all(|finding| finding.code != "order_against_time")
    );
    let against = only(&with_order(1), "order_against_time", Severity::Error);
    assert!(against.examples[0].contains("order 1 after 2"), "{against:?}");
}

#[test]
fn a_log_in_which_most_rows_share_their_moment_is_mentioned() {
    let one_moment = "user_id,item_id,timestamp\na,x,2026-03-01\na,y,2026-03-01\na,z,2026-03-01\nb,x,2026-03-01\nb,z,2026-03-01\n";
    let tied = only(one_moment, "tied_times", Severity::Warning);
    assert!(tied.message.starts_with("3 of 5 rows"), "{tied:?}");
}

#[test]
fn duplicates_are_found_with_both_places() {
    let log = format!("{SOUND}ann,tea,2026-03-01T10:00:00Z,view,desk\n");
    let again = only(&log, "duplicate_events", Severity::Warning);
    assert_eq!(
        again.examples,
        ["log.csv:8 repeats log.csv:2: user \"ann\", item \"tea\""]
    );
    let another_event = format!("{SOUND}ann,tea,2026-03-01T10:00:00Z,buy,desk\n");
    assert!(
        found(&another_event)
            .iter()
            .all(|finding| finding.code != "duplicate_events")
    );
}

#[test]
fn the_remedy_for_duplicates_counts_what_it_leaves() {
    let log = format!(
        "{SOUND}ann,tea,2026-03-01T10:00:00Z,view,desk\nann,tea,2026-03-02T10:00:00Z,cart,desk\n\
         ann,tea,2026-03-03T10:00:00Z,buy,desk\n"
    );
    let again = only(&log, "duplicate_events", Severity::Warning);
    assert!(
        again
            .remedy
            .contains("\"exact\" in [prepare], which keeps one of each (8 of 9 rows)")
            && again
                .remedy
                .contains("one row for each user and item, whatever the event (6 rows)"),
        "{again:?}"
    );
    // No word is the word `interaction`, as everywhere.
    let nameless = "user_id,item_id,event\nann,tea,\nann,tea,interaction\nann,cup,\n";
    only(nameless, "duplicate_events", Severity::Warning);
}

#[test]
fn rows_without_a_time_among_others_that_have_one_are_found() {
    let missing = only(
        &SOUND.replace("2026-03-02T18:30:00Z", ""),
        "missing_times",
        Severity::Warning,
    );
    assert!(
        missing.message.starts_with("1 of 6 rows have no time"),
        "{missing:?}"
    );
    assert_eq!(missing.examples, ["log.csv:4: user \"ann\""]);
    // Where nobody has a time nothing is missed, nor where an order says the place.
    let none = found("user_id,item_id\nann,tea\nann,cup\nbob,tea\n");
    assert!(none.iter().all(|finding| finding.code != "missing_times"));
    let ordered = "user_id,item_id,timestamp,order\nann,tea,2026-03-01,1\nann,cup,,2\nbob,tea,2026-03-01,1\n";
    assert!(
        found(ordered)
            .iter()
            .all(|finding| finding.code != "missing_times")
    );
}

#[test]
fn items_that_the_items_file_does_not_have_are_found() {
    let unlisted = |items: &str| {
        let home = tempfile::tempdir().expect("temporary folder");
        let inputs = Inputs {
            items: Some(csv(home.path(), "items.csv", items)),
            ..Inputs::new(csv(home.path(), "log.csv", SOUND))
        };
        let mut findings = examine(&inputs, now()).expect("readable").findings;
        findings.retain(|finding| finding.code == "unlisted_items");
        findings
    };
    assert_eq!(unlisted("item_id,title\ntea,T\ncup,C\npot,P\njug,J\nmug,M\n"), []);
    let some = unlisted("item_id,title\ntea,T\njug,J\n");
    assert!(
        some[0]
            .message
            .starts_with("2 of 4 items of the log (50.0 %) are not in "),
        "{some:?}"
    );
    assert!(
        some[0]
            .message
            .ends_with("items.csv; 50.0 % of the rows are with them"),
        "{some:?}"
    );
    assert_eq!(
        some[0].examples,
        ["item \"cup\" (2 rows)", "item \"pot\" (1 rows)"]
    );
    let none = unlisted("item_id,title\n1,T\n2,J\n");
    assert!(
        none[0]
            .message
            .starts_with("none of the 4 items of the log is in "),
        "{none:?}"
    );
    assert!(
        none[0].remedy.contains("another column mapped as item_id"),
        "{none:?}"
    );
}

#[test]
fn ids_that_are_probably_one_are_found() {
    let log = format!("{SOUND}Ann,tea,2026-03-04,view,desk\nAnn, Cup,2026-03-05,view,desk\n");
    let alike: Vec<Finding> = found(&log)
        .into_iter()
        .filter(|finding| finding.code == "ids_alike")
        .collect();
    let examples: Vec<&str> = alike
        .iter()
        .flat_map(|finding| &finding.examples)
        .map(String::as_str)
        .collect();
    assert_eq!(
        examples,
        [
            "user \"ann\" (3 rows) and \"Ann\" (2 rows)",
            "item \"cup\" (2 rows) and \" Cup\" (1 rows)"
        ]
    );
    let zeros = "user_id,item_id\nu1,007\nu1,7\nu2,7\nu2,8\n";
    only(zeros, "ids_alike", Severity::Warning);
}

#[test]
fn a_text_that_is_a_user_and_an_item_is_found_and_a_number_is_not() {
    let log = format!("{SOUND}tea,cup,2026-03-04,view,desk\ntea,pot,2026-03-05,view,desk\n");
    let both = only(&log, "id_in_two_types", Severity::Warning);
    assert_eq!(both.examples, ["\"tea\" is a user and an item"]);
    let numbers = found("user_id,item_id\n1,1\n1,2\n2,1\n2,3\n");
    assert!(numbers.iter().all(|finding| finding.code != "id_in_two_types"));
}

#[test]
fn columns_that_say_nothing_are_found() {
    let constant = only(
        &SOUND.replace(",desk", ",phone"),
        "constant_column",
        Severity::Note,
    );
    assert_eq!(constant.examples, ["log.csv: device is always phone"]);
    let empty = only(
        &SOUND.replace(",desk", ",").replace(",phone", ","),
        "empty_column",
        Severity::Note,
    );
    assert_eq!(empty.examples, ["log.csv: device"]);

    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs {
        items: Some(csv(
            home.path(),
            "items.csv",
            "item_id,title,colour\ntea,T,\ncup,C,\npot,P,\njug,J,\n",
        )),
        ..Inputs::new(csv(home.path(), "log.csv", SOUND))
    };
    let findings = examine(&inputs, now()).expect("readable").findings;
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].examples[0].ends_with("items.csv: colour"),
        "{findings:?}"
    );
}

/// The codes that a split of these logs has.
fn split_codes(log: &str, test: Option<&str>, config: &PrepareConfig, split: &SplitConfig) -> Vec<Finding> {
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs {
        test: test.map(|test| csv(home.path(), "test.csv", test)),
        ..Inputs::new(csv(home.path(), "log.csv", log))
    };
    let out = home.path().join("out");
    prepare(&inputs, config, split, 7, 1, &out, &mut |_| {}).expect("prepared");
    examine_split(&Prepared::open(&out).expect("opened"), split, &config.negative).expect("examined")
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_sound_split_has_no_finding() {
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let log = SOUND.replace("ann,pot", "ann,jug").replace("bob,jug", "bob,pot");
    let log = format!(
        "{log}cat,jug,2026-03-01,view,desk\ncat,pot,2026-03-02,view,desk\ncat,tea,2026-03-03,view,desk\n"
    );
    assert_eq!(split_codes(&log, None, &PrepareConfig::default(), &split), []);
}

#[test]
fn an_event_on_both_sides_of_a_split_is_an_error() {
    let header = "user_id,item_id,timestamp,event,device\n";
    let leaked = format!("{header}ann,cup,2026-03-01T10:01:00Z,buy,desk\nbob,pot,2026-03-04,view,desk\n");
    let findings = split_codes(
        SOUND,
        Some(&leaked),
        &PrepareConfig::default(),
        &SplitConfig::given(),
    );
    assert_eq!(codes(&findings), ["train_test_overlap", "train_after_test"]);
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(
        findings[0].examples,
        ["test.parquet: user \"ann\", item \"cup\", time 2026-03-01T10:01:00Z"]
    );
    let later = format!("{header}ann,jug,2026-03-04,buy,desk\nbob,pot,2026-03-04,view,desk\n");
    let findings = split_codes(
        SOUND,
        Some(&later),
        &PrepareConfig::default(),
        &SplitConfig::given(),
    );
    assert_eq!(codes(&findings), [""; 0]);
}

#[test]
fn a_target_in_its_own_history_is_found() {
    let log = format!("{SOUND}ann,tea,2026-03-05,view,desk\n");
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let findings = split_codes(&log, None, &PrepareConfig::default(), &split);
    let found: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.code == "target_in_history")
        .collect();
    assert!(
        found[0].examples[0].contains("user \"ann\", item \"tea\""),
        "{findings:?}"
    );
}

#[test]
fn a_part_without_rows_and_items_that_nobody_trained_on_are_found() {
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 9, since: None });
    let findings = split_codes(SOUND, None, &PrepareConfig::default(), &split);
    assert_eq!(codes(&findings), ["empty_part"]);
    let new = "user_id,item_id,timestamp,event,device\nann,new,2026-03-04,view,desk\nbob,newer,2026-03-04,view,desk\n";
    let findings = split_codes(SOUND, Some(new), &PrepareConfig::default(), &SplitConfig::given());
    assert_eq!(codes(&findings), ["cold_items"]);
}

#[test]
fn users_with_one_item_are_counted_after_the_filters_and_the_remedy_is_true() {
    let log = format!(
        "{SOUND}cat,tea,2026-03-04,view,desk\ncat,tea,2026-03-05,view,desk\ndan,tea,2026-03-05,view,desk\n"
    );
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let of = |min_user_events| {
        let config = PrepareConfig {
            min_user_events,
            ..PrepareConfig::default()
        };
        let mut findings = split_codes(&log, None, &config, &split);
        findings.retain(|finding| finding.code == "one_item_users");
        findings
    };
    let alone = of(1);
    assert!(
        alone[0]
            .message
            .starts_with("2 of 4 users that [prepare] leaves have one item only, 1 of them in one row"),
        "{alone:?}"
    );
    assert_eq!(
        alone[0].examples,
        [
            "user \"cat\": 2 rows, all with item \"tea\"",
            "user \"dan\": 1 rows, all with item \"tea\""
        ]
    );
    let alone = of(2);
    assert!(alone[0].message.starts_with("1 of 3 users"), "{alone:?}");
    assert_eq!(alone[0].examples.len(), 1);
    assert_eq!(of(3), []);
}

#[test]
fn a_random_split_of_rows_that_have_times_is_mentioned() {
    let split = SplitConfig::new(SplitKind::Random { fraction: 0.4 });
    let codes_of = |log: &str| {
        let mut findings = split_codes(log, None, &PrepareConfig::default(), &split);
        findings.retain(|finding| finding.code == "random_split_of_times");
        findings
    };
    let mentioned = codes_of(SOUND);
    assert_eq!(mentioned.len(), 1);
    assert_eq!(mentioned[0].severity, Severity::Note);
    assert_eq!(codes_of("user_id,item_id\na,x\na,y\na,z\nb,x\nb,y\nb,z\n"), []);
}

fn rejecting() -> PrepareConfig {
    PrepareConfig {
        negative: vec!["no".to_owned()],
        ..PrepareConfig::default()
    }
}

/// `ann` says no, in the test part, to what she said no to at that moment before, to what she had and to what is new, and
/// that early.
#[test]
fn test_rows_that_say_no_are_no_targets() {
    let log = format!("{SOUND}ann,jug,2026-03-02T20:00:00Z,no,phone\n");
    let noes = "user_id,item_id,timestamp,event,device\nann,jug,2026-03-02T20:00:00Z,no,desk\n\
                ann,tea,2026-03-01T08:00:00Z,no,desk\nann,new,2026-03-04,no,desk\nann,newer,2026-03-04,no,desk\n\
                ann,newest,2026-03-04,no,desk\nann,next,2026-03-04,no,desk\n";
    let one_yes = format!("{noes}bob,pot,2026-03-05,view,desk\n");
    let of =
        |test: &str, config: &PrepareConfig| split_codes(&log, Some(test), config, &SplitConfig::given());
    assert_eq!(
        codes(&of(&one_yes, &PrepareConfig::default())),
        [
            "train_test_overlap",
            "target_in_history",
            "train_after_test",
            "cold_items"
        ]
    );
    assert_eq!(of(&one_yes, &rejecting()), []);
    assert_eq!(codes(&of(noes, &rejecting())), ["empty_part"]);
}

#[test]
fn a_target_that_its_user_said_no_to_before_is_in_the_history() {
    let log = format!("{SOUND}ann,jug,2026-03-02T20:00:00Z,no,phone\n");
    let test = "user_id,item_id,timestamp,event,device\nann,jug,2026-03-04,view,desk\nann,tea,2026-03-04,no,desk\n\
                bob,pot,2026-03-04,view,desk\n";
    let findings = split_codes(&log, Some(test), &rejecting(), &SplitConfig::given());
    assert_eq!(codes(&findings), ["target_in_history"]);
    assert!(
        findings[0].message.starts_with("1 of 2 test events"),
        "{findings:?}"
    );
}

#[test]
fn a_user_who_took_one_item_and_said_no_to_others_has_one_item() {
    let log = format!(
        "{SOUND}cat,tea,2026-03-04,view,desk\ncat,cup,2026-03-05,no,desk\ncat,pot,2026-03-05,no,desk\n\
         dan,tea,2026-03-05,no,desk\n"
    );
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let alone = |config: &PrepareConfig| {
        let mut findings = split_codes(&log, None, config, &split);
        findings.retain(|finding| finding.code == "one_item_users");
        findings
    };
    let found = alone(&rejecting());
    assert!(
        found[0].message.starts_with("1 of 3 users"),
        "dan took nothing: {found:?}"
    );
    assert_eq!(found[0].examples, ["user \"cat\": 1 rows, all with item \"tea\""]);
    let found = alone(&PrepareConfig::default());
    assert!(found[0].examples[0].contains("user \"dan\""), "{found:?}");
}

/// The noes go with what is drawn, and they alone have a time.
#[test]
fn times_of_noes_are_none_that_a_split_could_go_by() {
    let log = "user_id,item_id,timestamp,event\nann,tea,,view\nann,cup,,view\nann,tea,2026-03-01,no\nann,cup,2026-03-01,no\n\
               bob,tea,,view\nbob,cup,,view\nbob,tea,2026-03-01,no\nbob,cup,2026-03-01,no\n";
    let split = SplitConfig::new(SplitKind::Random { fraction: 0.5 });
    let mentioned = |config: &PrepareConfig| {
        let findings = split_codes(log, None, config, &split);
        codes(&findings).contains(&"random_split_of_times")
    };
    assert!(mentioned(&PrepareConfig::default()));
    assert!(!mentioned(&rejecting()));
}
