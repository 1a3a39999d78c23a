//! A log of somebody's own becomes a recipe that runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect;

use crate::place::Place;

/// Users, items and times of a small log: each of twelve users takes six of fifteen items.
fn rows() -> impl Iterator<Item = (u32, u32, u32)> {
    (0..12)
        .flat_map(|user| (0..6).map(move |step| (user, (user * 5 + step * 4) % 15, user * 3600 + step * 60)))
}

/// A log in the given form; times are seconds after a moment in 2023.
fn log(header: &str, row: impl Fn(u32, u32, u32) -> String) -> String {
    let mut text = format!("{header}\n");
    for (user, item, seconds) in rows() {
        let _ = writeln!(text, "{}", row(user, item, 1_700_000_000 + seconds));
    }
    text
}

/// The recipe that is written for a log, without its comments; it runs to a bundle.
fn recipe(name: &str, log: &str) -> String {
    let place = Place::empty();
    place.write(name, log);
    place.run(&format!("init --interactions {name}")).well();
    place.run("run catchment.toml --quiet").well();
    without_comments(&place.read("catchment.toml"))
}

fn without_comments(recipe: &str) -> String {
    let lines = recipe
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let end = lines
        .clone()
        .position(|line| line == "[[channel]]")
        .unwrap_or(usize::MAX);
    lines
        .take(end)
        .map(|line| line.split("  #").next().unwrap_or(line).trim_end().to_owned() + "\n")
        .collect()
}

#[test]
fn semicolons_capitals_and_seconds_are_understood() {
    let text = log("CUSTOMER_ID;SKU;TS;RATING", |user, item, time| {
        format!("c{user};{item};{time};{}", item % 5 + 1)
    });
    expect![[r#"
        name = "sales"
        seed = 7
        [data]
        interactions = { path = "sales.csv", format = "csv", delimiter = ";", columns = { item_id = "SKU", timestamp = "TS", user_id = "CUSTOMER_ID", value = "RATING" }, time_unit = "s" }
        [prepare]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "leave-last"
        validation = { kind = "leave-last" }
    "#]].assert_eq(&recipe("sales.csv", &text));
}

#[test]
fn chinese_names_and_words_for_times_are_understood() {
    let text = log("用户ID,商品编号,行为,时间", |user, item, time| {
        let minute = time / 60 % 60;
        let event = ["浏览", "购买", "不感兴趣"][(user + item) as usize % 3];
        format!(
            "{user},p{item},{event},2023-11-15 {:02}:{minute:02}:00",
            user % 24
        )
    });
    expect![[r#"
        name = "catchment"
        seed = 7
        [data]
        interactions = { path = "日志.csv", format = "csv", columns = { event = "行为", item_id = "商品编号", timestamp = "时间", user_id = "用户ID" }, time_unit = "rfc3339" }
        [prepare]
        events = ["浏览", "购买"]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "leave-last"
        validation = { kind = "leave-last" }
    "#]].assert_eq(&recipe("日志.csv", &text));
}

#[test]
fn a_log_without_times_is_split_at_random() {
    let text = log("who,what", |user, item, _| format!("{user},{item}"));
    expect![[r#"
        name = "pairs"
        seed = 7
        [data]
        interactions = { path = "pairs.csv", format = "csv", columns = { item_id = "what", user_id = "who" } }
        [prepare]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "random"
        fraction = 0.2
        validation = { kind = "random", fraction = 0.1 }
    "#]]
    .assert_eq(&recipe("pairs.csv", &text));
}

#[test]
fn a_column_with_our_name_and_other_content_is_set_aside() {
    let text = log("user_id,item_id,timestamp,value", |user, item, time| {
        format!("{user},{item},day {time},high")
    });
    expect![[r#"
        name = "odd"
        seed = 7
        [data]
        interactions = { path = "odd.csv", format = "csv", columns = { timestamp_as_written = "timestamp", value_as_written = "value" } }
        [prepare]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "random"
        fraction = 0.2
        validation = { kind = "random", fraction = 0.1 }
    "#]].assert_eq(&recipe("odd.csv", &text));
}

#[test]
fn tabs_json_lines_and_parquet_are_told_apart() {
    let tabs = log("uid\tmovieId\tunix_time_ms", |user, item, time| {
        format!("{user}\t{item}\t{time}000")
    });
    expect![[r#"
        name = "log"
        seed = 7
        [data]
        interactions = { path = "log.txt", format = "tsv", columns = { item_id = "movieId", timestamp = "unix_time_ms", user_id = "uid" }, time_unit = "ms" }
        [prepare]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "leave-last"
        validation = { kind = "leave-last" }
    "#]].assert_eq(&recipe("log.txt", &tabs));
    let mut json = String::new();
    for (user, item, seconds) in rows() {
        let _ = writeln!(
            json,
            r#"{{"visitor": "v{user}", "product": {item}, "created_at": {}}}"#,
            1_700_000_000 + seconds
        );
    }
    expect![[r#"
        name = "events"
        seed = 7
        [data]
        interactions = { path = "events.jsonl", format = "jsonl", columns = { item_id = "product", timestamp = "created_at", user_id = "visitor" }, time_unit = "s" }
        [prepare]
        min_user_events = 1
        min_item_events = 1
        deduplicate = "none"
        session_gap = "30m"
        [split]
        kind = "leave-last"
        validation = { kind = "leave-last" }
    "#]].assert_eq(&recipe("events.jsonl", &json));
}

#[test]
fn a_made_world_with_items_and_users_gets_a_ranker_and_runs() {
    let place = Place::with_world();
    place.write("pretty.toml", "");
    let command =
        "init --interactions interactions.parquet --items items.parquet --users users.csv -o pretty.toml";
    expect![[r#"
        2: error: pretty.toml is there already
        help: name another file with -o, or write over it with --force"#]]
    .assert_eq(&place.refuse(command));
    let said = place.run(&format!("{command} --force")).well();
    assert!(
        said.contains("interactions.parquet: user_id is column \"user_id\" (sure"),
        "{said}"
    );
    let recipe = place.read("pretty.toml");
    assert!(
        recipe.contains("[ranker]") && recipe.contains("category_affinity"),
        "{recipe}"
    );
    place.run("run pretty.toml --quiet").well();
    let json = place.run(&format!("{command} --force --json")).json();
    assert_eq!(json["recipe"], "pretty.toml");
    assert_eq!(json["guesses"][0]["sure"], "sure");
}

/// A log in which nothing but popularity tells what comes next: item 0 is taken most, item 59 least.
fn log_of_fame() -> String {
    let mut text = "user_id,item_id,timestamp\n".to_owned();
    let mut state = 7_u64;
    for user in 0..300 {
        let mut taken = BTreeSet::new();
        while taken.len() < 8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // The cube of a number between 0 and 1, in 24 bits, times 60.
            let lot = u128::from(state >> 40);
            let item = (60 * lot * lot * lot) >> 72;
            if taken.insert(item) {
                let _ = writeln!(
                    text,
                    "u{user},{item},{}",
                    1_700_000_000 + user * 3600 + taken.len() * 60
                );
            }
        }
    }
    text
}

#[test]
fn strangers_get_the_popular_items_first_with_scores_that_differ() {
    let place = Place::empty();
    place.write("log.csv", log_of_fame());
    place.run("init --interactions log.csv").well();
    place.run("run catchment.toml --quiet").well();
    let answer = place
        .run("recommend --bundle bundles --user nobody -n 60 --json")
        .json();
    let items = answer["items"].as_array().expect("items");
    let score_of = |wanted: &str| {
        let item = items.iter().find(|item| item["item_id"] == wanted);
        item.and_then(|item| item["score"].as_f64()).expect("a score")
    };
    assert!(score_of("0") > score_of("14"), "{answer}");
    assert!(score_of("14") > score_of("40"), "{answer}");
    let first: u32 = items[0]["item_id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("a number");
    assert!(first < 5, "{answer}");
}

#[test]
fn columns_that_are_not_mapped_are_named_and_a_section_is_a_category() {
    let place = Place::empty();
    let text = log("user_id,item_id,timestamp,referrer", |user, item, time| {
        format!("{user},{item},{time},mail {}", user * 100 + item)
    });
    place.write("news.csv", text);
    let mut items = "article,headline,section,desk\n".to_owned();
    for item in 0..15 {
        let _ = writeln!(items, "{item},Title {item},part {},d{}", item % 3, item % 2);
    }
    place.write("articles.csv", items);
    let command = "init --interactions news.csv --items articles.csv";
    let said = place.run(command).well();
    assert!(
        said.contains("articles.csv: category is column \"section\""),
        "{said}"
    );
    assert!(said.contains("articles.csv: not mapped: desk"), "{said}");
    assert!(said.contains("news.csv: not mapped: referrer"), "{said}");
    let recipe = place.read("catchment.toml");
    for wanted in [
        "# Not mapped: \"referrer\".",
        "# Not mapped: \"desk\".",
        "on_error = \"fail\"",
        "on_error = \"skip\"",
        "name = \"popular_in_category\"",
    ] {
        assert!(recipe.contains(wanted), "no {wanted}: {recipe}");
    }
    place.run("run catchment.toml --quiet").well();
    let json = place.run(&format!("{command} --force --json")).json();
    assert_eq!(json["unmapped"][1]["columns"], serde_json::json!(["desk"]));
}

#[test]
fn a_made_world_is_not_written_over_what_somebody_has() {
    let place = Place::with_world();
    place.run("synth --preset tiny -o . --quiet").well();
    place.replace("catchment.toml", "seed = 7", "seed = 8");
    expect![[r#"
        2: error: ./catchment.toml is there already, and is not what would be made
        help: name another folder with -o, or write over it with --force"#]]
    .assert_eq(&place.refuse("synth --preset tiny -o ."));
    assert!(place.read("catchment.toml").contains("seed = 8"));
    place.run("synth --preset tiny -o . --force --quiet").well();
    assert!(place.read("catchment.toml").contains("seed = 7"));
    let place = Place::empty();
    place.write("interactions.csv", "mine");
    let said = place.refuse("synth --preset tiny -o .");
    assert!(
        said.starts_with("2: error: ./interactions.csv is there already"),
        "{said}"
    );
    assert_eq!(place.read("interactions.csv"), "mine");
}

#[test]
fn a_file_that_is_no_log_is_refused_with_what_it_has() {
    let place = Place::empty();
    place.write("notes.csv", "note\nhello\nworld\n");
    expect![[r#"
        1: error: notes.csv has no column that could be `item_id`; it has: note
        help: give the file a header that names it, such as `item_id`, and pass it as --interactions"#]]
    .assert_eq(&place.refuse("init --interactions notes.csv"));
    assert!(!place.path("catchment.toml").exists());
}

/// A log whose columns have names that nobody knows; the column of times comes before the one of items.
fn log_of_records(time: impl Fn(usize) -> String) -> String {
    let mut text = "when;who;record;act\n".to_owned();
    for (row, (user, item, _)) in rows().enumerate() {
        let act = ["view", "cart"][row % 2];
        let _ = writeln!(text, "{};w{user};r{item};{act}", time(row));
    }
    text
}

fn good_time(row: usize) -> String {
    format!("2026-03-{:02} 10:{:02}:00", row % 28 + 1, row % 60)
}

#[test]
fn a_date_that_cannot_be_read_makes_no_item_of_the_column_of_dates() {
    for odd in ["n/a", "unknown", "NULL", "0000-00-00 00:00:00"] {
        let place = Place::empty();
        let times = |row| if row == 17 { odd.to_owned() } else { good_time(row) };
        place.write("log.csv", log_of_records(times));
        let said = place.run("init --interactions log.csv").well();
        assert!(said.contains("timestamp is column \"when\""), "{odd}: {said}");
        assert!(said.contains("item_id is column \"record\""), "{odd}: {said}");
        let warning =
            format!("warning: 1 of 72 values of column \"when\" cannot be read as a time, such as {odd:?}");
        assert!(said.contains(&warning), "{odd}: {said}");
        let recipe = place.read("catchment.toml");
        assert!(recipe.contains("# WARNING: 1 of 72 values"), "{recipe}");
        assert!(recipe.contains("on_error = \"skip\" }"), "{recipe}");
        let said = place.run("run catchment.toml").well();
        assert!(said.contains("1 of 72 rows could not be read"), "{odd}: {said}");
    }
}

/// What `run` would stop at is said, and left out, by `init`.
#[test]
fn rows_without_an_id_are_told_and_left_out() {
    let place = Place::empty();
    let log = log_of_records(good_time).replacen(";w1;", ";;", 1);
    place.write("log.csv", log);
    let said = place.run("init --interactions log.csv").well();
    let warning = "warning: 1 of 72 rows have nothing in column \"who\", the user_id: the recipe has on_error = \"skip\"";
    assert!(said.contains(warning), "{said}");
    assert!(place.read("catchment.toml").contains("on_error = \"skip\""));
    place.run("prepare catchment.toml --quiet").well();
}

#[test]
fn dates_in_a_form_that_is_not_read_are_named_and_are_no_items() {
    let forms: [fn(usize) -> String; 3] = [
        |row| format!("{:02}.03.2026 10:{:02}", row % 28 + 1, row % 60),
        |row| format!("Mar {} 2026", row % 28 + 1),
        |row| format!("202603{:02}", row % 28 + 1),
    ];
    for form in forms {
        let place = Place::empty();
        place.write("log.csv", log_of_records(form));
        let said = place.run("init --interactions log.csv").well();
        assert!(said.contains("item_id is column \"record\""), "{said}");
        let example = form(0);
        assert!(
            said.contains("warning: column \"when\" seems to hold times in a form that is not read")
                && said.contains(&format!("such as \"{}", &example[..2]))
                && said.contains("2026-03-01T10:00:00Z"),
            "{said}"
        );
        assert!(place.read("catchment.toml").contains("kind = \"random\""));
        place.run("run catchment.toml --quiet").well();
    }
}

#[test]
fn the_items_of_a_log_are_the_column_that_the_items_file_knows() {
    let place = Place::empty();
    // By its name alone `product` would be the item; it is a group of them here.
    let text = log("user_id,product,part_no,timestamp", |user, item, time| {
        format!("{user},g{},p{item},{time}", item % 3)
    });
    place.write("log.csv", text);
    let items = |n_items: u32| {
        (0..n_items).fold("Part No,title\n".to_owned(), |text, item| {
            format!("{text}p{item},Part {item}\n")
        })
    };
    place.write("parts.csv", items(15));
    let command = "init --interactions log.csv --items parts.csv --force";
    let said = place.run(command).well();
    assert!(
        said.contains(
            "log.csv: item_id is column \"part_no\" (sure: it is called as the ids of parts.csv are"
        ),
        "{said}"
    );
    assert!(!said.contains("warning"), "{said}");
    // Some are missing: that is said, with how many.
    place.write("parts.csv", items(12));
    let said = place.run(command).well();
    assert!(
        said.contains("warning: 3 of 15 items of the log (20.0 %) are not in parts.csv, such as \"p12\""),
        "{said}"
    );
    let json = place.run(&format!("{command} --json")).json();
    assert_eq!(json["warnings"][0]["file"], "log.csv");
    // None is there: another column, or another file.
    place.write("parts.csv", "item_id,title\nx,X\ny,Y\n");
    let said = place.run(command).well();
    assert!(
        said.contains("warning: none of the 3 values of column \"product\" is an id of parts.csv"),
        "{said}"
    );
}
