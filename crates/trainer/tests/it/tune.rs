//! A search over settings of a recipe.

use serde_json::Value;

use crate::place::Place;

/// The tiny world, and a search over its iALS.
fn place(tune: &str) -> Place {
    let place = Place::with_world();
    let recipe = place.read("catchment.toml");
    place.write("catchment.toml", format!("{recipe}\n{tune}"));
    place
}

const IALS: &str = "[tune]\nmetric = \"ndcg@10\"\nlist = \"ials\"\ntrials = 4\n[tune.space]\n\
    \"channel.ials.model.dim\" = { from = 1, to = 40 }\n\
    \"channel.ials.model.regularization\" = { from = 1e-3, to = 1.0, scale = \"log\" }\n";

fn trials(found: &Value) -> &Vec<Value> {
    found["trials"].as_array().expect("trials")
}

#[test]
fn the_best_of_what_was_tried_is_what_train_measures_with_it() {
    let place = place(IALS);
    let found = place.run("tune catchment.toml --json").json();
    assert_eq!(trials(&found).len(), 5, "the recipe and four more");
    assert_eq!(trials(&found)[0]["settings"], serde_json::json!({}));
    let value = |trial: &Value| trial["metrics"]["ndcg@10"].as_f64().expect("measured");
    let best = trials(&found).iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    assert_eq!(best.map(|best| &best["metrics"]), Some(&found["best"]["metrics"]));
    assert_eq!(
        serde_json::from_str::<Value>(&place.read("work/world/tune.json")).expect("JSON"),
        found
    );
    let page = place.read("work/world/tune.html");
    assert!(page.contains("ndcg@10 by model.dim") && page.matches("<tr><th scope=\"row\">").count() == 5);
    // Whichever it is: by hand in the recipe, it is measured as it was in the search.
    let tried = &trials(&found)[2];
    let setting = |key: &str| tried["settings"][format!("channel.ials.model.{key}")].to_string();
    place.replace(
        "catchment.toml",
        "dim = 24, alpha0",
        &format!("dim = {}, alpha0", setting("dim")),
    );
    place.replace(
        "catchment.toml",
        "regularization = 0.03",
        &format!("regularization = {}", setting("regularization")),
    );
    let trained = place.run("train catchment.toml --json").json();
    let lists = trained.as_array().expect("lists");
    let ials = lists
        .iter()
        .find(|list| list["list"] == "ials")
        .expect("the channel");
    assert_eq!(ials["metrics"], tried["metrics"]);
}

#[test]
fn trials_that_were_done_are_not_done_again_and_more_can_be_added() {
    let place = place(IALS);
    let first = place.run("tune catchment.toml --json --trials 2").json();
    let said = place.run("tune catchment.toml").well();
    assert_eq!(said.matches("done before").count(), 3, "{said}");
    assert!(said.contains("trial 4 of 4"), "{said}");
    assert!(
        said.contains("the best settings, as") || said.contains("nothing that was tried is better"),
        "{said}"
    );
    let second: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    assert_eq!(trials(&second)[..3], trials(&first)[..]);
    // A line that was cut when the machine went down is of a trial that is done again.
    let lines = place.read("work/world/tune/trials.jsonl");
    place.write("work/world/tune/trials.jsonl", &lines[..lines.len() - 9]);
    let said = place.run("tune catchment.toml").well();
    assert_eq!(said.matches("done before").count(), 4, "{said}");
    let whole: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    let metrics = |found: &Value| -> Vec<Value> {
        trials(found)
            .iter()
            .map(|trial| trial["metrics"].clone())
            .collect()
    };
    assert_eq!(metrics(&whole), metrics(&second));
    // Neither another seed nor other data are the same trials.
    let said = place.run("tune catchment.toml --seed 8 --trials 1").well();
    assert!(!said.contains("done before"), "{said}");
    // And the data stay those of the recipe's own seed, which a seed on the command line does not split again.
    place.run("train catchment.toml --seed 9 --quiet").well();
}

/// A seed on the command line trains otherwise, on the same split: what the recipe keeps for the test nobody chooses by. And
/// what was done anew is not taken for older.
#[test]
fn a_seed_of_the_command_line_does_not_split_the_data_anew() {
    let place = place(&IALS.replace("trials = 4", "trials = 2"));
    place.replace(
        "catchment.toml",
        "kind = \"leave-last\"",
        "kind = \"random\"\nfraction = 0.1",
    );
    let first = place.run("tune catchment.toml --seed 8 --json").json();
    place.run("prepare catchment.toml --quiet").well();
    let said = place.run("tune catchment.toml --seed 8").well();
    assert_eq!(said.matches("done before").count(), 3, "{said}");
    place.run("tune catchment.toml --trials 1 --quiet").well();
    let said = place
        .run("tune catchment.toml --seed 8 --trials 1 --fresh")
        .well();
    assert!(!said.contains("done before"), "{said}");
    // The third of it, and those by the other seed, are there as they were.
    let said = place.run("tune catchment.toml --seed 8").well();
    assert_eq!(said.matches("done before").count(), 3, "{said}");
    let said = place.run("tune catchment.toml --trials 1").well();
    assert_eq!(said.matches("done before").count(), 2, "{said}");
    let again: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    assert_eq!(again["users"], first["users"]);
    let lines = place.read("work/world/tune/trials.jsonl");
    let lines = lines.lines().filter(|line| !line.is_empty()).count();
    assert_eq!(lines, 5, "each once");
}

/// What does not go together is told of the trial that has it.
#[test]
fn settings_that_do_not_go_together_are_a_trial_that_failed() {
    let place = place(
        "[tune]\nmetric = \"recall@20\"\nlist = \"youtube_dnn\"\ntrials = 8\n[tune.space]\n\
         \"channel.youtube_dnn.model.layers\" = [[], [16, 24]]\n\
         \"channel.youtube_dnn.model.dropout\" = { from = 0.01, to = 0.4 }\n",
    );
    let found = place.run("tune catchment.toml --json").json();
    let (failed, others): (Vec<&Value>, Vec<&Value>) = trials(&found)
        .iter()
        .partition(|trial| trial["outcome"] == "failed");
    assert!(!failed.is_empty() && others.len() > 1, "{found}");
    for trial in failed {
        assert!(
            trial["why"]
                .as_str()
                .is_some_and(|why| why.contains("fewer than two layers")),
            "{trial}"
        );
    }
}

/// Half of the users teach the ranker, the other half judge: what it learned by heart is no reason to prefer it. What cannot
/// be trained is told, and the search goes on; what comes out the same is not trained twice.
#[test]
fn a_ranker_is_searched_and_what_fails_does_not_end_it() {
    let place = place(
        "[tune]\nmetric = \"ndcg@10\"\ntrials = 1\n[tune.space]\n\"ranker.model.ftrl.l1\" = { from = 0.5, to = 5.0 }\n",
    );
    let found = place.run("tune catchment.toml --json").json();
    assert_eq!(found["list"], "ranked");
    let users = found["users"].as_u64().expect("users");
    assert_eq!(trials(&found).len(), 2);
    assert!(
        trials(&found)
            .iter()
            .all(|trial| trial["metrics"]["ndcg@10"].is_f64())
    );
    let trained = place.run("train catchment.toml --json").json();
    let ranked = trained
        .as_array()
        .expect("lists")
        .iter()
        .find(|list| list["list"] == "ranked");
    let all = ranked.expect("the list")["users"].as_u64().expect("users");
    assert!(users > all / 3 && users < 2 * all / 3, "{users} of {all}");
    assert_ne!(
        ranked.expect("the list")["metrics"],
        trials(&found)[0]["metrics"],
        "of all users, who taught it as well"
    );

    let recipe = place.read("catchment.toml");
    let (recipe, _) = recipe.split_once("[tune]").expect("a search");
    place.write(
        "catchment.toml",
        format!(
            "{recipe}\n[tune]\nmetric = \"recall@20\"\nlist = \"youtube_dnn\"\ntrials = 12\n[tune.space]\n\
             \"channel.youtube_dnn.model.examples.min_past\" = [1, 100000]\n"
        ),
    );
    let said = place.run("tune catchment.toml").well();
    assert!(
        said.contains("12 trials were asked for") && said.contains("no more than 2 other settings"),
        "{said}"
    );
    assert_eq!(said.matches("failed: ").count(), 1, "{said}");
    assert_eq!(
        said.matches("done before").count(),
        1,
        "as the recipe has it: {said}"
    );
    let found: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    let failed: Vec<&Value> = trials(&found)
        .iter()
        .filter(|trial| trial["outcome"] == "failed")
        .collect();
    assert!(failed.len() == 1 && failed[0]["why"].is_string(), "{found}");
}

#[test]
fn a_search_ends_when_nothing_better_comes() {
    let place = place(&IALS.replace("trials = 4", "trials = 50\npatience = 2"));
    let said = place.run("tune catchment.toml").well();
    assert!(
        said.contains("2 trials without a better one: the search ends"),
        "{said}"
    );
    let found: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    let best = found["best"]["trial"].as_u64().expect("a trial");
    assert_eq!(trials(&found).len() as u64, best + 3);
}

/// Of a channel of towers, a training that falls behind is stopped; and one that diverges is no reason to stop the search.
#[test]
fn trainings_that_fall_behind_are_stopped_early() {
    let place = place(
        "[tune]\nmetric = \"recall@20\"\nlist = \"youtube_dnn\"\ntrials = 24\n[tune.space]\n\
         \"channel.youtube_dnn.model.learning_rate\" = { from = 1e-6, to = 1e-1, scale = \"log\" }\n\
         \"channel.youtube_dnn.model.epochs\" = [4, 6]\n",
    );
    let said = place.run("tune catchment.toml");
    let (code, said) = (said.code, said.stdout);
    assert_eq!(code, 0, "{said}");
    let found: Value = serde_json::from_str(&place.read("work/world/tune.json")).expect("JSON");
    let stopped: Vec<&Value> = trials(&found)
        .iter()
        .filter(|trial| trial["outcome"] == "stopped_early")
        .collect();
    assert!(!stopped.is_empty(), "{said}");
    for trial in stopped {
        let looks = trial["looks"].as_array().expect("looks");
        let share = looks[looks.len() - 1][0].as_f64().expect("a share");
        assert!((0.25..1.0).contains(&share), "{trial}");
        assert_eq!(trial["metrics"], serde_json::json!({}));
    }
    assert_eq!(
        found["best"]["metrics"]
            .as_object()
            .map(serde_json::Map::is_empty),
        Some(false)
    );
    let all = place.run("tune catchment.toml --fresh --json");
    let again = all.json();
    let outcomes = |found: &Value| -> Vec<Value> {
        let of = |trial: &Value| serde_json::json!([trial["outcome"], trial["looks"], trial["metrics"]]);
        trials(found).iter().map(of).collect()
    };
    assert_eq!(
        outcomes(&again),
        outcomes(&found),
        "the same seed, the same search"
    );
    // Without it those are trained to their end that were stopped.
    place.replace("catchment.toml", "trials = 24", "trials = 24\nearly_stop = false");
    let found = place.run("tune catchment.toml --json").json();
    assert!(trials(&found).iter().all(|trial| trial["outcome"] == "finished"));
}

#[test]
fn what_cannot_be_searched_is_told_before_anything_is_trained() {
    let without = Place::with_world();
    let refused = without.refuse("tune catchment.toml");
    assert!(
        refused.starts_with("2: ") && refused.contains("[tune.space]"),
        "{refused}"
    );
    for (from, to, told) in [
        ("model.dim", "model.dims", "did you mean `dim`?"),
        ("from = 1, to = 40", "from = 0, to = 40", "dim"),
        ("ndcg@10", "ndcg@7", "ndcg@"),
        ("list = \"ials\"", "list = \"all\"", "known here"),
        ("list = \"ials\"", "list = \"item_cf\"", "the same whatever"),
    ] {
        let place = place(&IALS.replacen(from, to, 1).replace("trials = 4", "trials = 300"));
        let refused = place.refuse("tune catchment.toml");
        assert!(
            refused.starts_with("1: ") && refused.contains(told),
            "{to}: {refused}"
        );
        assert!(!place.path("work/world/tune/trials.jsonl").exists());
    }
}
