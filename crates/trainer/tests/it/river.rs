//! The whole way, from a world to a bundle that answers.

use std::collections::{BTreeSet, HashSet};

use catchment_pipeline::Layout;
use catchment_schema::{Embeddings, Interactions, Vocabulary};

use crate::place::Place;

#[test]
fn a_world_becomes_a_bundle_that_answers() {
    let place = Place::with_world();
    let said = place.run("run catchment.toml --summary run.json");
    let is_note = |line: &str| line.starts_with("note: channel `");
    assert!(
        said.stderr.lines().all(is_note),
        "no terminal, nothing on the side but what a training found: {}",
        said.stderr
    );
    let text = said.well();
    for line in [
        "prepared 100 users, 80 items",
        "on the validation part",
        "on the test part",
        "published",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(text.contains("NDCG ideal"), "no metric without its protocol");
    let summary: serde_json::Value = serde_json::from_str(&place.read("run.json")).expect("JSON");
    let recall = |list: &str| {
        let lists = summary["test"].as_array().expect("lists");
        let found = lists.iter().find(|judged| judged["list"] == list).expect(list);
        found["metrics"]["recall@20"].as_f64().expect("a number")
    };
    assert!(recall("ials") > recall("popular"));
    assert!(recall("ranked") > recall("popular"));
    assert!(
        recall("oracle") > recall("ranked"),
        "nobody knows more than the world itself"
    );

    let user = summary["example_user"].as_str().expect("a user");
    let answer = place
        .run(&format!(
            "recommend --bundle bundles --user {user} -n 5 --explain"
        ))
        .well();
    assert!(answer.contains("found by") && answer.contains("5."), "{answer}");
    assert!(
        answer.contains("popular: asked 100") && answer.contains("ranked: true"),
        "{answer}"
    );
    let of_version = format!(
        "recommend --bundle {} --user {user} -n 5 --explain --json",
        place.bundle()
    );
    let answer = place.run(&of_version).json();
    assert_eq!(answer["known"], true);
    assert_eq!(answer["items"].as_array().expect("items").len(), 5);
    assert_eq!(
        answer["explain"]["channels"].as_array().expect("channels").len(),
        8
    );

    let said = place.run("recommend --bundle bundles --user nobody");
    assert!(said.stderr.starts_with("note: "), "{}", said.stderr);
    assert!(said.well().contains("10."), "the answer of somebody unknown");
    assert_eq!(
        place
            .run("recommend --bundle bundles --user nobody --quiet")
            .stderr,
        ""
    );
}

#[test]
fn every_command_prints_one_json_object() {
    let place = Place::empty();
    assert_eq!(place.run("synth --preset tiny -o . --json").json()["folder"], ".");
    assert_eq!(place.run("prepare catchment.toml --json").json()["users"], 100);
    let lists = |value: &serde_json::Value| value.as_array().map_or(0, Vec::len);
    assert_eq!(lists(&place.run("train catchment.toml --json").json()), 11);
    assert_eq!(
        lists(&place.run("evaluate catchment.toml -o here.json --json").json()),
        11
    );
    assert_eq!(place.read("here.json"), place.read("work/world/metrics.json"));
    assert_eq!(
        place.run("publish catchment.toml --json").json()["root"],
        "bundles"
    );
    assert!(place.run("run catchment.toml --json").json()["seconds"]["train"].is_number());
    let similar = place.run("similar --bundle bundles --item i0 -n 3 --json").json();
    assert_eq!(lists(&similar["items"]), 3);
    place.write("users.csv", "user_id\nu0\nu1\nnobody\n");
    let batch = place
        .run("batch --bundle bundles --users users.csv --json")
        .json();
    assert_eq!((&batch["users"], &batch["unknown_users"]), (&3.into(), &1.into()));
    let export = place.run("export --bundle bundles --channel ials --what items -o vectors.parquet --json");
    assert_eq!(export.json()["rows"], 80);
    let reproduced = place
        .run("reproduce catchment.toml --seeds 2 -o result.json --json")
        .json();
    assert_eq!(reproduced["list"], "ranked");
    assert!(reproduced["metrics"]["recall@10"]["ci95"].is_array());
    let file: serde_json::Value = serde_json::from_str(&place.read("result.json")).expect("JSON");
    assert_eq!(file, reproduced);
}

#[test]
fn vectors_leave_in_three_forms_and_lists_in_one() {
    let place = Place::with_bundle();
    let export = |rest: &str| {
        place
            .run(&format!("export --bundle bundles --channel ials {rest}"))
            .well()
    };
    export("--what items -o vectors.parquet");
    export("--what users -o users.parquet");
    let items = Embeddings::read(place.path("vectors.parquet")).expect("read");
    let users = Embeddings::read(place.path("users.parquet")).expect("read");
    assert_eq!((items.ids.len(), users.ids.len()), (80, 100));
    export("--what items --format npy -o items.npy");
    let npy = std::fs::read(place.path("items.npy")).expect("read");
    assert!(npy.starts_with(b"\x93NUMPY"));
    assert!(npy.len() > items.vectors.len() * 4);
    let ids = place.read("items.ids.txt");
    assert!(ids.lines().eq(items.ids.iter().map(|id| &**id)));
    export("--what items --format word2vec -o items.txt");
    let text = place.read("items.txt");
    assert_eq!(text.lines().next(), Some(format!("80 {}", items.dim).as_str()));
    assert_eq!(text.lines().count(), 81);

    place.write("some.csv", "user_id\nu0\nnobody\n");
    let said = place
        .run("batch --bundle bundles --users some.csv -n 4 -o some.parquet")
        .well();
    assert!(said.contains("2 users (1 unknown to the bundle)"), "{said}");
    let first = std::fs::read(place.path("some.parquet")).expect("read");
    place
        .run("batch --bundle bundles --users some.csv -n 4 -o some.parquet --threads 1")
        .well();
    assert_eq!(std::fs::read(place.path("some.parquet")).expect("read"), first);
    // The ending says the form.
    let batch = |file: &str| format!("batch --bundle bundles --users some.csv -n 4 -o {file}");
    place.run(&batch("some.csv.jsonl")).well();
    let lines = place.read("some.csv.jsonl");
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["user_id"], &first["rank"]), (&"u0".into(), &1.into()));
    place.run(&batch("lists.csv")).well();
    let lists = place.read("lists.csv");
    assert!(
        lists.starts_with("user_id,item_id,rank,score,channels\nu0,"),
        "{lists}"
    );
    assert_eq!(lists.lines().count(), 9);
    let refused = place.refuse(&batch("lists.xlsx"));
    assert_eq!(
        refused,
        "2: error: the ending of lists.xlsx says no form to write in\nhelp: let it end in .parquet, .csv or .jsonl"
    );
    assert!(!place.path("lists.xlsx").exists());
}

#[test]
fn why_not_agrees_with_the_recommendations_and_names_the_stage() {
    let place = Place::with_bundle();
    let recommended = place
        .run("recommend --bundle bundles --user u0 -n 3 --json")
        .json();
    let why = |item: &str, n: usize| {
        let said = place.run(&format!(
            "why-not --bundle bundles --user u0 --item {item} -n {n} --json"
        ));
        said.json()
    };
    let third = recommended["items"][2]["item_id"].as_str().expect("an id");
    let said = why(third, 3);
    assert_eq!(
        (&said["why"]["stage"], &said["why"]["rank"]),
        (&"answered".into(), &3.into())
    );
    let said = why(third, 2);
    assert_eq!(
        (&said["why"]["stage"], &said["why"]["position"]),
        (&"ranked_beyond".into(), &3.into())
    );
    let said = place.refuse("why-not --bundle bundles --user u0 --item unheard-of");
    assert!(
        said.starts_with("2: error: the bundle does not know item \"unheard-of\""),
        "{said}"
    );
    let text = place.run(&format!("why-not --bundle bundles --user u0 --item {third} -n 2"));
    let text = text.well();
    assert!(
        text.starts_with(third) && text.contains("it stands at place 3, and 2 were asked for"),
        "{text}"
    );
    assert!(text.contains("\n  found by "), "{text}");
}

#[test]
fn similar_items_come_by_the_first_channel_that_can_say_or_by_the_one_named() {
    let place = Place::with_bundle();
    assert!(
        place
            .run("similar --bundle bundles --item i0")
            .well()
            .starts_with("near i0")
    );
    let by = |channel: &str| {
        let said = place.run(&format!(
            "similar --bundle bundles --item i0 --channel {channel} --json"
        ));
        said.json()["channel"].clone()
    };
    assert_eq!((by("item_cf"), by("ials")), ("item_cf".into(), "ials".into()));
}

#[test]
fn quiet_is_quiet_and_json_says_nothing_else() {
    let place = Place::with_world();
    let said = place.run("run catchment.toml --quiet");
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (0, "", "")
    );
    let said = place.run("recommend --bundle bundles --user nobody --json");
    assert_eq!(said.stderr, "");
    assert_eq!(said.json()["known"], false);
    // Neither a pipe nor NO_COLOR gets colours.
    let said = place.run_with("recommend --fly", &[("NO_COLOR", "1")]);
    assert!(!said.stderr.contains('\u{1b}'), "{}", said.stderr);
}

#[test]
fn the_same_seed_gives_the_same_bundle_for_any_number_of_threads() {
    let place = Place::with_world();
    let run = |threads: u32, seed: u64| {
        let work = format!("work{threads}-{seed}");
        let to = format!("--work {work} --to {work}/bundles");
        place
            .run(&format!(
                "run catchment.toml {to} --threads {threads} --seed {seed} --quiet"
            ))
            .well();
        let version = place.read(&format!("{work}/bundles/CURRENT"));
        let mut files = place.files(&format!("{work}/bundles/{}", version.trim()));
        // The manifest says when it was made.
        files.retain(|(name, _)| !name.starts_with("manifest.json"));
        files
    };
    let one = run(1, 7);
    assert!(one.len() > 10);
    for ((name, bytes), (other_name, other)) in one.iter().zip(&run(2, 7)) {
        assert_eq!(name, other_name);
        assert!(bytes == other, "{name} differs between one and two threads");
    }
    assert!(one != run(1, 8), "another seed, another bundle");
}

/// What is served knows what users did last; what is measured must not.
#[test]
fn a_bundle_of_the_whole_log_recommends_nothing_that_anybody_had() {
    let place = Place::with_world();
    place.run("run catchment.toml --quiet").well();
    place
        .run("publish catchment.toml --to whole --whole-log --quiet")
        .well();
    let had: HashSet<(String, String)> = place
        .read("interactions.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
        })
        .collect();
    let users: BTreeSet<&str> = had.iter().map(|(user, _)| user.as_str()).collect();
    let users: Vec<&str> = std::iter::once("user_id").chain(users).collect();
    place.write("everybody.csv", users.join("\n"));
    let again = |bundles: &str| -> usize {
        let ask = format!("batch --bundle {bundles} --users everybody.csv -n 10 -o {bundles}.csv");
        let answers = place.run(&ask);
        answers.well();
        let rows = place.read(&format!("{bundles}.csv"));
        let pairs = rows.lines().skip(1).filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
        });
        pairs.filter(|pair| had.contains(pair)).count()
    };
    assert!(
        again("bundles") > 10,
        "the test part is not known to what was measured"
    );
    assert_eq!(again("whole"), 0);

    let read = |bundles: &str| {
        let folder = std::fs::read_dir(place.path(bundles)).expect("bundles");
        let folder = folder
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.is_dir())
            .expect("a bundle");
        let layout = Layout::new(folder);
        let items = Vocabulary::read(layout.item_vocabulary()).expect("items");
        let histories = Interactions::read(layout.histories()).expect("histories");
        let items_of: BTreeSet<(u32, u32)> = histories
            .users
            .iter()
            .zip(&histories.events)
            .map(|(user, event)| (user.0, event.item.0))
            .collect();
        (items.len(), histories.len(), items_of)
    };
    let (measured, whole) = (read("bundles"), read("whole"));
    assert_eq!(measured.0, whole.0);
    assert!(measured.2.is_subset(&whole.2));
    // A held-out row of nearly each of a hundred users; of the others the item is in no other row.
    assert!((90..=100).contains(&(whole.1 - measured.1)));
}
