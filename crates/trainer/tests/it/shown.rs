//! A tower that is told what was shown beside what was taken.

use std::fmt::Write as _;

use expect_test::expect;

use crate::place::Place;

/// Sixty users of two tastes, who take five of seven items; each row has a column with the next two of the seven.
fn place(shown: &str) -> Place {
    let place = Place::empty();
    let mut log = "user_id,item_id,timestamp,beside\n".to_owned();
    for user in 0..60 {
        for step in 0..5 {
            let item = |by: u32| (user % 2) * 10 + (user / 2 + step + by) % 7;
            let beside = format!("i{} / i{} / nobody", item(1), item(2));
            let _ = writeln!(log, "u{user},i{},{},{beside}", item(0), 100 * user + step);
        }
    }
    place.write("log.csv", log);
    place.write(
        "r.toml",
        format!(
            "name = \"r\"\n[data]\n\
             interactions = {{ path = \"log.csv\", format = \"csv\", time_unit = \"s\" }}\n\
             [split]\nkind = \"leave-last\"\nvalidation = {{ kind = \"leave-last\" }}\n\
             [evaluate]\nks = [5]\nmetrics = [\"recall\"]\n\
             [[channel]]\nname = \"dnn\"\nkind = \"youtube_dnn\"\n\
             features.user = [{{ name = \"seen\", kind = \"history\" }}]\n\
             model = {{ preset = \"nano\", {shown} }}\n"
        ),
    );
    place
}

#[test]
fn a_column_of_what_was_shown_gives_negatives_and_is_told_of() {
    let place = place("shown = { column = \"beside\", separator = \"/\", n = 2 }");
    let said = place.run("run r.toml");
    let noted = |text: &str| assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
    noted("240 ids in `beside` are of no item that training may know");
    // Of the four that are learned from with a past: two had something else than what the user takes anyway.
    noted("of the examples were compared with what was shown beside them");
    said.well();
    let vectors = |place: &Place| {
        let mut files = place.files("work/r/model/channels/dnn");
        files.retain(|(name, _)| name.ends_with("items.parquet"));
        files
    };
    let plain = self::place("shared = true");
    plain.run("run r.toml --quiet").well();
    assert_eq!(vectors(&place).len(), 1);
    assert!(vectors(&place) != vectors(&plain));
    place
        .run("recommend --bundle bundles --user u3 -n 3 --json")
        .json();
}

#[test]
fn a_column_of_which_no_id_is_one_of_an_item_is_told_with_one_and_the_separator() {
    let place = self::place("shown = { column = \"beside\" }");
    place.run("prepare r.toml --quiet").well();
    let said = place.refuse("train r.toml");
    for part in [
        "channel `dnn`",
        "`shown.column` = \"beside\": none of its 240 ids is one of an item",
        " / nobody\"",
        "`shown.separator` = \"|\"",
        "help: correct `shown.separator`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // A list as JSON lines have it needs no separator.
    let in_json = |line: &str| match line.rsplit_once(',') {
        Some((row, beside)) if row.starts_with('u') && beside.contains(" / ") => {
            let ids: Vec<String> = beside.split(" / ").map(|id| format!("\"\"{id}\"\"")).collect();
            format!("{row},\"[{}]\"\n", ids.join(","))
        }
        _ => format!("{line}\n"),
    };
    let log: String = place.read("log.csv").lines().map(in_json).collect();
    place.write("log.csv", log);
    let said = place.run("run r.toml");
    assert!(
        said.stderr.contains("240 ids in `beside` are of no item"),
        "{}",
        said.stderr
    );
    said.well();
}

#[test]
fn a_column_that_is_not_there_and_settings_out_of_range_have_their_line() {
    let place = self::place("shown = { column = \"besides\" }");
    place.run("prepare r.toml --quiet").well();
    expect![[r#"
        1: error: r.toml:14: channel `dnn`: `model.shown.column` = "besides", but the log has only: beside
        help: did you mean `beside`?"#]]
    .assert_eq(&place.refuse("train r.toml"));
    let place = self::place("shown = { column = \"beside\", n = 0 }");
    expect![[r#"
        1: error: r.toml:14: channel `dnn`: `model.shown.n` = 0 is out of range: 1 to 4096
        help: choose an allowed value for that key"#]]
    .assert_eq(&place.refuse("train r.toml"));
}
