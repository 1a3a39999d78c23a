//! Data that cannot be used, and what each answers. The README shows some of these lines.

use std::fs;

use expect_test::{Expect, expect};

use crate::place::Place;

const GOOD: &str = "user_id,item_id,timestamp,value\n\
    u1,a,2026-01-01,1\nu1,b,2026-01-02,1\nu1,c,2026-01-03,1\nu2,a,2026-01-01,1\nu2,c,2026-01-02,1\nu2,b,2026-01-03,1\n";

const RECIPE: &str = "name = \"shop\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\" }\n\
    [split]\nkind = \"leave-last\"\n[[channel]]\nname = \"popular\"\nkind = \"popular\"\n\
    [evaluate]\nks = [2]\nmetrics = [\"recall\"]\n";

fn place(log: impl AsRef<[u8]>) -> Place {
    let place = Place::empty();
    place.write("catchment.toml", RECIPE);
    place.write("log.csv", log);
    place
}

fn check(log: impl AsRef<[u8]>, expect: &Expect) {
    expect.assert_eq(&place(log).refuse("run catchment.toml"));
}

#[test]
fn a_good_log_passes_so_that_the_rest_can_fail() {
    place(GOOD).run("run catchment.toml").well();
}

#[test]
fn text_that_cannot_be_read_is_named_with_its_line() {
    check(
        GOOD.replace("item_id", "item"),
        &expect![[r#"
            1: error: catchment.toml:3: `data.interactions`: log.csv has no column `item_id`; it has: user_id, item, timestamp, value
            help: map the column: columns = { item_id = "item" }"#]],
    );
    check(
        GOOD.replace("u1,b", ",b"),
        &expect![[r#"
        1: error: log.csv: line 3, column `user_id`: an id must not be null or empty (an empty cell)
        help: mend the row, or set on_error = "skip" to leave such rows out"#]],
    );
    check(
        GOOD.replace("02,1\nu1,c", "02,NaN\nu1,c"),
        &expect![[r#"
        1: error: log.csv: line 3, column `value`: must be finite in 32 bits (value: "NaN")
        help: mend the row, or set on_error = "skip" to leave such rows out"#]],
    );
    check(
        GOOD.replace("2026-01-02,1\nu1", "yesterday,1\nu1"),
        &expect![[r#"
            1: error: log.csv: line 3, column `timestamp`: is no moment in a form that is read (2026-03-01, 2026-03-01 10:00, 2026-03-01T10:00:00Z (or +01:00), and numbers since 1970 in s, ms or us); is this the column of the times? (value: "yesterday")
            help: mend the row, or set on_error = "skip" to leave such rows out"#]],
    );
    check(
        GOOD.replace("u1,b,", "u1,b,b,"),
        &expect![[r#"
        1: error: log.csv: line 3, column `whole line`: has 5 fields, the header has 4 (value: "u1,b,b,2026-01-02,1")
        help: mend the row, or set on_error = "skip" to leave such rows out"#]],
    );
    check(
        "",
        &expect![[r#"
        1: error: log.csv is empty: at least one row expected
        help: check that the right file was named"#]],
    );
    check(
        "user_id,item_id,timestamp\n",
        &expect![[r#"
        1: error: log.csv is empty: at least one row expected
        help: check that the right file was named"#]],
    );
    check(
        b"user_id,item_id\nu1,\xff\xfe\n",
        &expect![[r#"
        1: error: log.csv: line 2, column `item_id`: is not UTF-8: convert the file (value: "��")
        help: mend the row, or set on_error = "skip" to leave such rows out"#]],
    );
}

#[test]
fn a_log_without_what_the_recipe_needs_is_named() {
    let place = place("user_id,item_id\nu1,a\nu1,b\nu2,a\n");
    place.replace(
        "catchment.toml",
        "\"leave-last\"",
        "\"temporal\"\nat = \"2026-01-02T00:00:00Z\"",
    );
    expect![[r#"
        1: error: the temporal split needs a time in every row, and `timestamp` is empty in 3 rows
        help: map the column in the recipe, or choose another split.kind"#]]
    .assert_eq(&place.refuse("run catchment.toml"));
    check(
        "user_id,item_id,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-01\n",
        &expect![[r#"
            1: error: nothing to measure: no user has a held-out item
            help: hold more out in [split], or bring more data"#]],
    );
    let place = self::place(GOOD);
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nmin_user_events = 100\n[split]",
    );
    expect![[r#"
        1: error: no row is left after k-core (prepare.min_user_events = 100, prepare.min_item_events = 1) (6 before it)
        help: loosen that setting, or check that the right log was named"#]].assert_eq(&place.refuse("run catchment.toml"));
    let place = self::place(GOOD);
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nevents = [\"buy\"]\n[split]",
    );
    expect![[r#"
        1: error: `prepare.events` names "buy", and the log has only: interaction
        help: correct the word in prepare.events; an empty list keeps all events"#]]
    .assert_eq(&place.refuse("run catchment.toml"));
    let place = self::place(GOOD);
    place.replace("catchment.toml", "log.csv", "logs/*.csv");
    let said = place.refuse("run catchment.toml");
    expect![[r#"
        1: error: catchment.toml:3: `data.interactions.path`: logs/*.csv has no csv file: at least one match expected (in full: FOLDER/logs/*.csv)
        help: correct the path; a relative one starts at the folder of the recipe"#]]
    .assert_eq(&said.replace(place.path("").display().to_string().trim_end_matches('/'), "FOLDER"));
    let place = self::place(GOOD);
    place.replace("catchment.toml", "kind = \"leave-last\"", "kind = \"given\"");
    expect![[r#"
        1: error: `split.kind` = "given" needs a test log, and `data.test` is not set
        help: set data.test, or choose another split.kind"#]]
    .assert_eq(&place.refuse("run catchment.toml"));
}

#[test]
fn parquet_that_is_cut_or_something_else_is_named() {
    let place = Place::with_world();
    let whole = fs::read(place.path("items.parquet")).expect("read");
    place.write("items.parquet", &whole[..whole.len() / 2]);
    expect![[r#"
        1: error: items.parquet cannot be read as Parquet: Parquet error: Invalid Parquet file. Corrupt footer
        help: the file may be truncated or of another format: write it again"#]]
    .assert_eq(&place.refuse("prepare catchment.toml"));
    place.write("items.parquet", "id,title\n");
    expect![[r#"
        1: error: items.parquet cannot be read as Parquet: Parquet error: Invalid Parquet file. Corrupt footer
        help: the file may be truncated or of another format: write it again"#]]
    .assert_eq(&place.refuse("prepare catchment.toml"));
    place.write("items.parquet", "");
    expect![[r#"
        1: error: items.parquet is empty: at least one row expected
        help: check that the right file was named"#]]
    .assert_eq(&place.refuse("prepare catchment.toml"));
}

#[test]
fn a_feature_of_a_column_that_is_not_there_is_named() {
    let place = Place::with_world();
    place.replace("catchment.toml", "column = \"category\"", "column = \"categry\"");
    place.run("prepare catchment.toml").well();
    expect![[r#"
        1: error: catchment.toml:23: feature `category`: `column` = "categry", but the items have only: title, category, price, published_at
        help: did you mean `category`?"#]].assert_eq(&place.refuse("train catchment.toml"));
}

#[test]
fn a_channel_of_a_category_that_is_not_there_is_named_with_its_line() {
    let place = Place::with_world();
    place.replace(
        "catchment.toml",
        "kind = \"popular\"",
        "kind = \"popular\"\nquery = { category = \"categry\" }",
    );
    place.run("prepare catchment.toml").well();
    expect![[r#"
        1: error: catchment.toml:39: channel `popular`: `query.category` = "categry", but the items have only: title, category, price, published_at
        help: did you mean `category`?"#]]
    .assert_eq(&place.refuse("train catchment.toml"));
    let place = self::place(GOOD);
    place.replace(
        "catchment.toml",
        "kind = \"popular\"",
        "kind = \"popular\"\nquery = { category = \"genre\" }",
    );
    expect![[r#"
        1: error: catchment.toml:9: channel `popular`: `query.category` = "genre", but the items have no columns
        help: bring the items with their columns: items = { … } in [data]"#]]
    .assert_eq(&place.refuse("run catchment.toml"));
}

#[test]
fn a_look_at_what_cannot_be_read_names_the_file_and_the_remedy() {
    let place = Place::empty();
    let text = "user,item\nu1,a\nu2,b\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    place.write("log.csv", [&[0xff, 0xfe][..], &wide].concat());
    expect![[r#"
        1: error: log.csv is UTF-16 text, and only UTF-8 is read
        help: convert the file to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW, or save it anew as "CSV UTF-8""#]]
    .assert_eq(&place.refuse("init --interactions log.csv"));
    place.write("log.csv", "user,item\nu1,a,3\nu2,b,4\n");
    expect![[r#"
        1: error: log.csv: none of 2 rows can be read; the first: log.csv: line 2, column `whole line`: has 3 fields, the header has 2 (value: "u1,a,3")
        help: every row fails: check format, delimiter, columns and time_unit of this source"#]]
    .assert_eq(&place.refuse("init --interactions log.csv"));
    place.write("log.csv", "user,item,user\nu1,a,3\n");
    expect![[r#"
        1: error: log.csv has two columns called "user": number 1 and number 3 of its header
        help: rename or remove one of the two columns in the file's header"#]]
    .assert_eq(&place.refuse("init --interactions log.csv"));
    assert!(!place.path("catchment.toml").exists());
}

#[test]
fn what_lies_in_the_work_folder_is_not_trusted() {
    let place = Place::with_world();
    place.run("prepare catchment.toml").well();
    let (name, bytes) = place
        .files("work/world/data")
        .into_iter()
        .find(|(name, _)| name.ends_with(".parquet"))
        .expect("a file");
    place.write(&format!("work/world/data/{name}"), &bytes[..bytes.len() - 9]);
    let said = place.refuse("train catchment.toml");
    assert!(said.contains(&name), "{said}");
    place.run("prepare catchment.toml").well();
    place.run("train catchment.toml").well();
}

#[test]
fn a_list_of_strangers_is_judged_with_a_note() {
    let place = Place::with_world();
    let other = Place::empty();
    other.run("synth --preset demo -o .").well();
    place.write(
        "truth.parquet",
        fs::read(other.path("truth.parquet")).expect("read"),
    );
    let said = place.run("run catchment.toml");
    assert!(
        said.stderr
            .contains("note: list `oracle` has 1900 users that the log does not know"),
        "{}",
        said.stderr
    );
    assert_eq!(said.code, 0);
    assert_eq!(place.run("evaluate catchment.toml --quiet").stderr, "");
    let lists = place.run("evaluate catchment.toml --json").json();
    let oracle = lists
        .as_array()
        .and_then(|lists| lists.last())
        .expect("the oracle");
    assert_eq!(oracle["notes"][0], "1900 users that the log does not know");
}
