//! A channel of item vectors: stopped and taken up, handed out, and items that nobody had.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use catchment_models::sgns::ItemVectors;
use catchment_pipeline::Layout;
use catchment_schema::{Embeddings, ItemIdx, NeighbourTable, Vocabulary};
use expect_test::expect;

use crate::place::Place;

/// The tiny world with this channel alone.
fn with_channel(lines: &str) -> Place {
    let place = Place::with_world();
    place.write(
        "vectors.toml",
        format!(
            "name = \"vectors\"\n[data]\n\
             interactions = {{ path = \"interactions.csv\", format = \"csv\" }}\n\
             items = {{ path = \"items.csv\", format = \"csv\" }}\n\
             [split]\nkind = \"leave-last\"\n\
             [[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\n{lines}\n"
        ),
    );
    place
}

#[cfg(unix)]
#[test]
fn a_fit_that_was_interrupted_goes_on_where_it_was_and_gives_the_same_bytes() {
    let lines = "model = { dim = 16, epochs = 400, learning_rate = 0.05 }";
    let (place, other) = (with_channel(lines), with_channel(lines));
    place.run("prepare vectors.toml --quiet").well();
    other.run("run vectors.toml --quiet").well();
    let checkpoints = place.path("work/vectors/checkpoints");
    for signal in ["-INT", "-KILL"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_catchment-train"))
            .args(["train", "vectors.toml", "--quiet"])
            .current_dir(place.path("."))
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let begun = Instant::now();
        let before: Vec<_> = place.files_or_none("work/vectors/checkpoints");
        // Until an epoch more is over than there was.
        while place.files_or_none("work/vectors/checkpoints") == before {
            assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
            assert!(begun.elapsed() < Duration::from_mins(2), "no epoch ended");
            std::thread::sleep(Duration::from_millis(2));
        }
        let pid = child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(sent.success());
        let output = child.wait_with_output().expect("ended");
        if signal == "-INT" {
            let said = String::from_utf8(output.stderr).expect("UTF-8");
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("error: interrupted"), "{said}");
        }
        assert!(checkpoints.exists());
    }
    let said = place.run("train vectors.toml");
    assert!(
        said.stderr
            .contains("channel `vectors` goes on where it was stopped"),
        "{}",
        said.stderr
    );
    said.well();
    assert!(!checkpoints.exists(), "gone when it is done");
    let vectors = |place: &Place| {
        let mut files = place.files("work/vectors/model/channels/vectors");
        files.retain(|(name, _)| name.ends_with(".parquet"));
        files
    };
    assert_eq!(vectors(&place).len(), 2);
    assert!(vectors(&place) == vectors(&other));
}

#[test]
fn a_channel_asked_by_seeds_has_the_nearest_by_what_it_is_asked_against() {
    for against in ["input", "output"] {
        let place = with_channel(&format!(
            "model = {{ dim = 16, epochs = 20, learning_rate = 0.05 }}\n\
             query = {{ form = \"seeds\", against = \"{against}\", neighbours = 5 }}"
        ));
        place.run("run vectors.toml --quiet").well();
        let layout = Layout::new(place.path(&place.bundle()));
        let items = Vocabulary::read(layout.item_vocabulary()).expect("items");
        let table = NeighbourTable::read(layout.neighbours("vectors"), &items).expect("neighbours");
        let read = |name: &str| {
            let table = Embeddings::read(layout.channel("vectors").join(name)).expect("vectors");
            (table.vectors, table.dim)
        };
        let (input, dim) = read("items.parquet");
        let directions = ItemVectors::new(input, dim).expect("vectors");
        let other = match against {
            "input" => directions.vectors().to_vec(),
            _ => read("output.parquet").0,
        };
        let row = |vectors: &[f32], item: usize| vectors[item * dim..(item + 1) * dim].to_vec();
        let mut n_listed = 0;
        for item in 0..items.len() {
            let query = row(directions.vectors(), item);
            let mut expected: Vec<f32> = (0..items.len())
                .filter(|&near| near != item)
                .map(|near| query.iter().zip(row(&other, near)).map(|(a, b)| a * b).sum())
                .collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            expected.truncate(5);
            if against == "input" {
                expected.retain(|&score| score > 0.0);
            } else {
                for score in &mut expected {
                    *score = score.exp().ln_1p();
                }
            }
            let list = table.of(ItemIdx::from_index(item));
            n_listed += list.len();
            assert_eq!(list.len(), expected.len());
            for (scored, expected) in list.iter().zip(expected) {
                assert!(scored.item.index() != item);
                assert!(
                    (scored.score.get() - expected).abs() < 1e-5,
                    "{scored:?} {expected}"
                );
            }
        }
        assert!(n_listed > 100, "{n_listed}");
        let answer = place
            .run("recommend --bundle bundles --user u0 -n 5 --json")
            .json();
        assert_eq!(answer["items"].as_array().expect("items").len(), 5);
    }
}

#[test]
fn output_vectors_are_handed_out_too() {
    let place = with_channel("model = { dim = 16, epochs = 2 }");
    place.run("run vectors.toml --quiet").well();
    let export = "export --bundle bundles --channel vectors --what";
    place.run(&format!("{export} items -o items.parquet")).well();
    place.run(&format!("{export} output -o output.parquet")).well();
    place
        .run(&format!("{export} output --format npy -o output.npy"))
        .well();
    let [items, output] =
        ["items.parquet", "output.parquet"].map(|file| Embeddings::read(place.path(file)).expect("read"));
    assert_eq!((items.dim, output.dim), (16, 16));
    assert!(items.ids == output.ids && items.vectors != output.vectors);
    assert!(!output.meta.normalised && output.vectors.iter().any(|&x| x != 0.0));
    let npy = std::fs::read(place.path("output.npy")).expect("read");
    let numbers: Vec<u8> = output.vectors.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert!(npy.ends_with(&numbers));
    assert_eq!(place.read("output.ids.txt").lines().count(), output.ids.len());

    let place = Place::with_bundle();
    expect![[r#"
        1: error: channel `ials` has no output vectors
        help: name a channel of kind item2vec or airbnb, or --what items"#]]
    .assert_eq(&place.refuse("export --bundle bundles --channel ials --what output -o o.parquet"));
}

#[test]
fn items_in_no_session_are_placed_by_their_content() {
    // Of many users with one item each nobody has a session: that item is in none.
    let place = Place::empty();
    let rows = (0..60).flat_map(|user| {
        (0..6).map(move |step| {
            let item = (user % 2) * 10 + (user / 2 + step * 3) % 6;
            format!("u{user},i{item},{}\n", 100 * user + step)
        })
    });
    let single = [8, 9, 18, 19].map(|item| format!("single{item},i{item},7\n"));
    let log: String = rows.chain(single).collect();
    place.write("log.csv", format!("user_id,item_id,timestamp\n{log}"));
    let titles = (0..20).map(|item| {
        let kind = if item < 10 { "red wine" } else { "green tea" };
        format!("i{item},{kind} no. {item}\n")
    });
    place.write(
        "items.csv",
        format!("item_id,title\n{}", titles.collect::<String>()),
    );
    let recipe = |cold: &str| {
        format!(
            "name = \"shop\"\n[data]\n\
             interactions = {{ path = \"log.csv\", format = \"csv\", time_unit = \"s\" }}\n\
             items = {{ path = \"items.csv\", format = \"csv\" }}\n\
             [split]\nkind = \"leave-last\"\nrefit = \"none\"\n\
             [[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\nmodel = {{ dim = 8, learning_rate = 0.05, subsample = 0 }}\n{cold}\n"
        )
    };
    place.write(
        "shop.toml",
        recipe("cold = { words = [\"title\"], neighbours = 4 }"),
    );
    let said = place.run("run shop.toml");
    assert!(
        said.stderr
            .contains("4 of 4 items that are in no session were placed by their content"),
        "{}",
        said.stderr
    );
    said.well();
    let similar = place
        .run("similar --bundle bundles --item i19 -n 3 --json")
        .json();
    let near: Vec<String> = similar["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["item_id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(
        near.len() == 3 && near.iter().all(|id| id.len() == 3),
        "all of tea: {near:?}"
    );

    place.write("shop.toml", recipe(""));
    place.run("run shop.toml --quiet").well();
    let similar = place
        .run("similar --bundle bundles --item i19 -n 3 --json")
        .json();
    assert_eq!(similar["items"], serde_json::json!([]), "it has no vector");
    let export = "export --bundle bundles --channel vectors --what users -o users.parquet";
    let told = place.run(&format!("{export} --json")).json();
    assert_eq!((&told["rows"], &told["left_out"]), (&60.into(), &4.into()));
    let said = place.run(export);
    assert!(
        said.stderr
            .contains("note: 4 users are left out: none of their items has a vector"),
        "{}",
        said.stderr
    );
    let users = Embeddings::read(place.path("users.parquet")).expect("read");
    assert!(users.ids.len() == 60 && !users.ids.contains(&"single8".into()));

    place.write("shop.toml", recipe("cold = { words = [\"titel\"] }"));
    expect![[r#"
        1: error: shop.toml:12: channel `vectors`: `cold.words` = "titel", but the items have only: title
        help: did you mean `title`?"#]]
    .assert_eq(&place.refuse("train shop.toml"));
    let rows: Vec<String> = (0..20).map(|item| format!("i{item},wine,{item}\n")).collect();
    place.write("items.csv", format!("item_id,title,price\n{}", rows.concat()));
    place.write("shop.toml", recipe("cold = { words = [\"price\"] }"));
    place.run("prepare shop.toml").well();
    expect![[r#"
        1: error: shop.toml:12: channel `vectors`: `cold.words` = "price", but no item has a text in it
        help: name a column of texts, or take it out"#]]
    .assert_eq(&place.refuse("train shop.toml"));
    place.write("shop.toml", recipe("cold = { neighbours = 0 }"));
    expect![[r#"
        1: error: shop.toml:12: channel `vectors`: `cold.neighbours` = 0 is out of range: 1 to 1000
        help: choose an allowed value for that key"#]]
    .assert_eq(&place.refuse("train shop.toml"));
}

#[test]
fn logs_without_a_pair_are_told_so() {
    let refused = |log: &str| {
        let place = Place::empty();
        place.write("log.csv", format!("user_id,item_id,timestamp\n{log}"));
        place.write(
            "r.toml",
            "name = \"r\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\", time_unit = \"s\" }\n\
             [split]\nkind = \"random\"\nfraction = 0.01\n\
             [[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\n",
        );
        place.refuse("run r.toml")
    };
    // One item a user; one item alone; the same event over and over; nothing.
    let rows = (0..40).map(|row| format!("u{row},i{},{row}\n", row % 7));
    let single = rows.collect::<Vec<_>>().concat();
    expect![[r#"
        1: error: channel `vectors`
        cause: there is no session of two items or more
        help: make the sessions wider (`sessions` of the channel), or use a kind of channel that needs none"#]]
    .assert_eq(&refused(&single));
    let rows = (0..40).map(|row| format!("u{},i1,{row}\n", row % 5));
    let alone = rows.collect::<Vec<_>>().concat();
    expect![[r#"
        1: error: channel `vectors`
        cause: there is no session of two items or more
        help: make the sessions wider (`sessions` of the channel), or use a kind of channel that needs none"#]]
    .assert_eq(&refused(&alone));
    let same = "u1,i1,5\n".repeat(40);
    expect![[r#"
        1: error: channel `vectors`
        cause: there is no session of two items or more
        help: make the sessions wider (`sessions` of the channel), or use a kind of channel that needs none"#]]
    .assert_eq(&refused(&same));
    expect![[r#"
        1: error: log.csv is empty: at least one row expected
        help: check that the right file was named"#]]
    .assert_eq(&refused(""));
}
