//! Recipes, bundles and command lines that cannot be used, and what each answers.

use std::fs;

use expect_test::expect;

use crate::place::Place;

#[test]
fn a_recipe_with_a_mistake_is_refused_before_anything_is_read() {
    let place = Place::with_world();
    let recipe = place.read("catchment.toml");
    let refuse = |from: &str, to: &str| {
        place.replace("catchment.toml", from, to);
        let said = place.refuse("run catchment.toml");
        place.write("catchment.toml", &recipe);
        said
    };
    expect![[r#"
        1: error: catchment.toml:97: unknown key `limt`, expected one of `k`, `weights`, `limit`
        help: did you mean `limit`?"#]]
    .assert_eq(&refuse("limit = 300", "limt = 300"));
    expect![[r#"
        1: error: catchment.toml:50: channel `ials`: `model.dim` = 0 is out of range: 1 to 8192
        help: choose an allowed value for that key"#]]
    .assert_eq(&refuse("dim = 24", "dim = 0"));
    expect![[r#"
        1: error: catchment.toml:7: the environment variable SHOP_LOG is not set
        help: set it (export SHOP_LOG=…), or write the path into the recipe"#]]
    .assert_eq(&refuse(
        "\"interactions.csv\"",
        "\"${SHOP_LOG}/interactions.csv\"",
    ));
    expect![[r#"
        1: error: catchment.toml:50: channel `ials`: `hnsw` compares directions, and iALS ranks by raw inner product: `auto` or `exact`
        help: docs/contracts.md, section 3, lists the keys of a recipe"#]].assert_eq(&refuse("model = { dim = 24", "index = { kind = \"hnsw\" }\nmodel = { dim = 24"));
    expect![[r#"
        2: error: threads = 1025 is out of range
        help: 0 (all) to 1024"#]]
    .assert_eq(&refuse("[data]", "threads = 1025\n[data]"));
    assert!(!place.path("work").exists(), "nothing was begun");
    let said = refuse("\"interactions.csv\"", "\"interactoins.csv\"");
    let folder = format!("{}/", place.path("").display());
    expect![[r#"
        1: error: catchment.toml:7: `data.interactions.path`: there is no file FOLDER/interactoins.csv
        help: correct the path; a relative one starts at the folder of the recipe"#]]
    .assert_eq(&said.replace(folder.trim_end_matches('/'), "FOLDER"));
    expect![[r#"
        1: error: catchment.toml:7: `data.interactions.columns.item_id` = "itemid", but interactions.csv has only: user_id, item_id, timestamp, event
        help: did you mean `item_id`?"#]].assert_eq(&refuse(
        "format = \"csv\" }",
        "format = \"csv\", columns = { item_id = \"itemid\" } }",
    ));
    expect![[r#"
        2: error: nothing.toml: cannot be read: No such file or directory (os error 2)
        help: name a recipe (a TOML file): `catchment-train init --interactions LOG` writes one for a log, and `catchment-train synth -o FOLDER` one with a made world"#]]
    .assert_eq(&place.refuse("run nothing.toml"));
    place.write("bytes.toml", [0xff, 0xfe]);
    expect![[r#"
        1: error: bytes.toml: cannot be read: stream did not contain valid UTF-8
        help: name a recipe (a TOML file): `catchment-train init --interactions LOG` writes one for a log, and `catchment-train synth -o FOLDER` one with a made world"#]]
    .assert_eq(&place.refuse("run bytes.toml"));
}

#[test]
fn with_json_a_failure_is_one_object() {
    let place = Place::with_world();
    place.replace("catchment.toml", "limit = 300", "limt = 300");
    let said = place.run("run catchment.toml --json");
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    let object: serde_json::Value = serde_json::from_str(&said.stderr).expect("one object");
    assert!(
        object["error"]
            .as_str()
            .is_some_and(|error| error.contains("limt"))
    );
    assert_eq!(object["help"], "did you mean `limit`?");
    assert_eq!(object["causes"], serde_json::json!([]));
    let said = place.run("reproduce catchment.toml --seeds 0 -o r.json --json");
    assert_eq!(said.code, 2, "{}", said.stderr);
}

#[test]
fn a_command_line_that_makes_no_sense_is_wrong_use() {
    let place = Place::with_bundle();
    for arguments in [
        "",
        "fly",
        "run",
        "recommend --bundle bundles",
        "run catchment.toml --threads many",
        "run catchment.toml --threads 1025",
        "recommend --bundle bundles --user u0 -n 0",
        "recommend --bundle bundles --user u0 -n 100001",
        "similar --bundle bundles --item i0 -n 0",
        "why-not --bundle bundles --user u0 --item i0 -n 0",
        "synth --events 0 -o made",
        "synth --events 2000 --users 0 -o made",
        "evaluate catchment.toml --segments user.nope",
    ] {
        let said = place.run(arguments);
        assert_eq!(said.code, 2, "{arguments}: {}", said.stderr);
    }
    let said = place.run("run catchment.toml --sede 3 --json");
    assert_eq!(said.code, 2);
    let object: serde_json::Value = serde_json::from_str(&said.stderr).expect("one object");
    assert!(
        object["error"]
            .as_str()
            .is_some_and(|error| error.contains("--sede"))
    );
    assert_eq!(place.run("--help").code, 0);
    assert_eq!(place.run("--version --json").code, 0);
    expect![[r#"
        2: error: --seeds 0 would measure nothing
        help: give at least 1"#]]
    .assert_eq(&place.refuse("reproduce catchment.toml --seeds 0 -o r.json"));
    expect![[r#"
        2: error: the bundle does not know item "unheard-of"
        help: item ids are those of the log"#]]
    .assert_eq(&place.refuse("similar --bundle bundles --item unheard-of"));
    expect![[r#"
        2: error: there is no channel `isal`; there are: popular, item_cf, ials, item2vec, airbnb, youtube_dnn, dssm, two_tower
        help: name one of these channels"#]]
    .assert_eq(&place.refuse("similar --bundle bundles --item i0 --channel isal"));
    expect![[r#"
        2: error: channel `popular` cannot say which items are similar
        help: name a channel of kind item_cf, swing, ials, item2vec, airbnb or of towers, or none"#]]
    .assert_eq(&place.refuse("similar --bundle bundles --item i0 --channel popular"));
    expect![[r#"
        2: error: channel `item_cf` has no vectors
        help: name a channel of kind ials, item2vec, airbnb or of towers"#]]
    .assert_eq(&place.refuse("export --bundle bundles --channel item_cf --what items -o a.npy"));
    expect![[r#"
        2: error: there is no channel `isal`; there are: popular, item_cf, ials, item2vec, airbnb, youtube_dnn, dssm, two_tower
        help: name one of these channels"#]]
    .assert_eq(&place.refuse("export --bundle bundles --channel isal --what items -o a.npy"));
    expect![[r#"
        2: error: nothing.csv: no such file
        help: check that the path exists and may be used, and that the disk has room"#]]
    .assert_eq(&place.refuse("batch --bundle bundles --users nothing.csv"));
    for arguments in [
        "run nothing.toml",
        "report nothing.toml",
        "init --interactions nothing.csv -o new.toml",
        "init --interactions interactions.csv --items nothing.csv -o new.toml",
        "init --interactions interactions.csv --users nothing.csv -o new.toml",
        "recommend --bundle nowhere --user u0",
        "batch --bundle nowhere --users users.csv",
        "evaluate catchment.toml --compare nowhere",
        "trigrams nothing.txt",
        "why-not --bundle bundles --user u0 --item unheard-of",
        "why-not --bundle bundles --user u0 --item unheard-of --json",
        "export --bundle nowhere --channel ials --what items -o a.npy",
    ] {
        let said = place.run(arguments);
        assert_eq!(said.code, 2, "{arguments}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments}");
    }
    place.write("users.csv", "user\nu0\n");
    expect![[r#"
        1: error: users.csv has no column `user_id`; it has: user
        help: call the column with the users' ids user_id"#]]
    .assert_eq(&place.refuse("batch --bundle bundles --users users.csv"));
}

#[test]
fn a_bundle_that_does_not_verify_is_refused() {
    let place = Place::with_bundle();
    expect![[r#"
        2: error: there is no folder nowhere
        help: publish a bundle there first, or point to the right folder"#]]
    .assert_eq(&place.refuse("recommend --bundle nowhere --user u0"));
    expect![[r#"
        2: error: . has no CURRENT: nothing was published there
        help: publish a bundle there first, or point to the right folder"#]]
    .assert_eq(&place.refuse("recommend --bundle . --user u0"));
    let bundle = place.bundle();
    let version = bundle.trim_start_matches("bundles/").to_owned();
    let refuse = |what: &str| {
        let said = place.refuse(what).replace(&version, "VERSION");
        let is_sum = |word: &&str| word.len() >= 64;
        let sums: Vec<&str> = said.split([' ', ',', '\n']).filter(is_sum).collect();
        sums.iter()
            .fold(said.clone(), |said, sum| said.replace(sum, "SHA-256"))
    };
    let spec = format!("{bundle}/pipeline.json");
    let good = place.read(&spec);
    place.write(&spec, good.replacen("200", "201", 1));
    expect![[r#"
        1: error: bundles/VERSION/pipeline.json has sha256 SHA-256, but should have SHA-256
        help: the bundle is damaged: copy it again, or roll back"#]]
    .assert_eq(&refuse("recommend --bundle bundles --user u0"));
    fs::remove_file(place.path(&spec)).expect("removed");
    expect![[r#"
        1: error: bundles/VERSION/pipeline.json is missing
        help: the bundle is damaged: copy it again, or roll back"#]]
    .assert_eq(&refuse("recommend --bundle bundles --user u0"));
    place.write(&spec, good);
    let manifest = format!("{bundle}/manifest.json");
    let text = place.read(&manifest);
    place.write(
        &manifest,
        text.replacen("\"format_version\": 1", "\"format_version\": 99", 1),
    );
    assert_ne!(place.read(&manifest), text);
    expect![[r#"
        1: error: bundles/VERSION/manifest.json has bundle format 99; this program reads 1 to 1
        help: read it with a newer program, or publish it anew"#]]
    .assert_eq(&refuse("recommend --bundle bundles --user u0"));
    place.write(&manifest, text);
    place.run("recommend --bundle bundles --user u0").well();
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Place::with_bundle();
    place.write("a-file", "");
    expect![[r#"
        1: error: a-file: File exists (os error 17)
        help: check that the path exists and may be used, and that the disk has room"#]]
    .assert_eq(&place.refuse("synth --preset tiny -o a-file"));
    expect![[r#"
        1: error: a-file/world: Not a directory (os error 20)
        help: check that the path exists and may be used, and that the disk has room"#]]
    .assert_eq(&place.refuse("prepare catchment.toml --work a-file"));
    expect![[r#"
        1: error: a-file: File exists (os error 17)
        help: check that the path exists and may be used, and that the disk has room"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml -o a-file/metrics.json"));
    expect![[r#"
        1: error: a-file: File exists (os error 17)
        help: check that the path exists and may be used, and that the disk has room"#]]
    .assert_eq(&place.refuse("export --bundle bundles --channel ials --what items -o a-file/i.npy"));
}
