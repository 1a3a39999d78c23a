//! What a recipe with a mistake answers.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use expect_test::{Expect, expect};

use catchment_pipeline::ChannelModel;

use super::*;

#[path = "silent_settings_tests.rs"]
mod silent_settings;

const GOOD: &str = r#"
name = "shop"
[data]
interactions = { path = "log.csv", format = "csv" }
[split]
kind = "leave-last"
[[channel]]
name = "ials"
kind = "ials"
model = { dim = 16 }
"#;

#[expect(
    clippy::needless_pass_by_value,
    reason = "an expectation is used up by its one check"
)]
fn check(text: &str, expect: Expect) {
    let path = Path::new("shop/catchment.toml");
    let outcome = match Recipe::parse(text, path, &|name| (name == "DATA").then(|| "/data".to_owned())) {
        Ok(recipe) => format!("{} {}", recipe.name, recipe.data.interactions.path),
        Err(problem) => {
            let error = problem.in_text(path, text);
            format!("{error}\nhelp: {}", error.help)
        }
    };
    expect.assert_eq(&outcome);
}

#[test]
fn paths_are_relative_to_the_recipe_and_variables_are_resolved() {
    check(GOOD, expect!["shop shop/log.csv"]);
    check(
        &GOOD.replace("log.csv", "${DATA}/log.csv"),
        expect!["shop /data/log.csv"],
    );
    check(
        &GOOD.replace("log.csv", "/elsewhere/log.csv"),
        expect!["shop /elsewhere/log.csv"],
    );
}

#[test]
fn a_variable_that_is_not_set_is_named_with_what_it_is_for() {
    check(
        &GOOD.replace("log.csv", "${ELSEWHERE}/log.csv"),
        expect![[r#"
        shop/catchment.toml:4: the environment variable ELSEWHERE is not set
        help: set it (export ELSEWHERE=…), or write the path into the recipe"#]],
    );
    check(
        &GOOD.replace("log.csv", "${CATCHMENT_DATA}/log.csv"),
        expect![[r#"
        shop/catchment.toml:4: the environment variable CATCHMENT_DATA is not set
        help: set it to the folder that holds one folder per dataset; `cargo xtask data NAME` says where each comes from"#]],
    );
    check(
        &GOOD.replace("log.csv", "${DATA/log.csv"),
        expect![[r#"
        shop/catchment.toml:4: unfinished `${` in "${DATA/log.csv"
        help: close it: ${NAME}"#]],
    );
    check(
        &format!("{GOOD}[lists]\npeer = \"${{PEER}}/a.parquet\"\n"),
        expect![[r#"
            shop/catchment.toml:12: the environment variable PEER is not set
            help: set it (export PEER=…), or write the path into the recipe"#]],
    );
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_nearest_key() {
    check(
        &GOOD.replace("kind = \"ials\"", "knid = \"ials\""),
        expect![[r#"
            shop/catchment.toml:9: unknown key `knid`, expected one of `name`, `kind`, `k`, `sessions`, `objective`, `cold`, `types`, `features`, `model`, `query`, `index`
            help: did you mean `kind`?"#]],
    );
    check(
        &GOOD.replace("dim = 16", "dimm = 16"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: unknown key `dimm`, expected one of `dim`, `alpha0`, `regularization`, `nu`, `sweeps`, `stddev`, `solver`, `cg_steps`, `block_size`
            help: did you mean `dim`?"#]],
    );
    check(
        &GOOD.replace("model = { dim = 16 }", "[channel.model]\nnu = 1.0\ndimm = 16"),
        expect![[r#"
            shop/catchment.toml:12: channel `ials`: unknown key `dimm`, expected one of `dim`, `alpha0`, `regularization`, `nu`, `sweeps`, `stddev`, `solver`, `cg_steps`, `block_size`
            help: did you mean `dim`?"#]],
    );
    check(
        &GOOD.replace("model = {", "index = { hnsw = { max_eff = 4 } }\nmodel = {"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: unknown key `max_eff`, expected one of `max_connections`, `ef_construction`, `max_ef`, `parallel`
            help: did you mean `max_ef`?"#]],
    );
    check(
        &GOOD.replace("[data]", "sed = 8\n[data]"),
        expect![[r#"
            shop/catchment.toml:3: unknown key `sed`, expected one of `name`, `seed`, `threads`, `data`, `prepare`, `split`, `features`, `channel`, `merge`, `ranker`, `evaluate`, `lists`, `published`, `tune`
            help: did you mean `seed`?"#]],
    );
    check(
        &GOOD.replace("format = \"csv\"", "format = \"csv\", colums = {}"),
        expect![[r#"
            shop/catchment.toml:4: unknown key `colums`, expected one of `path`, `format`, `columns`, `lists`, `delimiter`, `time_unit`, `time_origin`, `on_error`
            help: did you mean `columns`?"#]],
    );
    check(
        &GOOD.replace("\"leave-last\"", "\"leave-last\"\nnn = 1"),
        expect![[r#"
            shop/catchment.toml:7: unknown key `nn`, expected one of `kind`, `fraction`, `n`, `at`, `since`, `windows`, `horizon`, `step`, `gap`, `window`, `validation`, `refit`
            help: did you mean `n`?"#]],
    );
    check(
        &GOOD.replace(
            "\"leave-last\"",
            "\"leave-last\"\nvalidation = { kind = \"leave-lats\" }",
        ),
        expect![[r#"
            shop/catchment.toml:7: unknown variant `leave-lats`, expected one of `given`, `random`, `leave-last`, `temporal`, `rolling`
            help: did you mean `leave-last`?"#]],
    );
    check(
        &format!("{GOOD}[evaluate]\nks = [10]\nmetric = [\"recall\"]\n"),
        expect![[r#"
            shop/catchment.toml:13: unknown key `metric`, expected one of `ks`, `metrics`, `exclude_seen`, `corpus`, `ndcg_ideal`, `segments`, `resamples`, `confidence`, `randomisations`
            help: did you mean `metrics`?"#]],
    );
    check(
        &format!("{GOOD}[merge]\nkind = \"rrf\"\nlimt = 3\n"),
        expect![[r#"
            shop/catchment.toml:13: unknown key `limt`, expected one of `k`, `weights`, `limit`
            help: did you mean `limit`?"#]],
    );
    check(
        &format!("{GOOD}[features]\nitem = [\n  {{ name = \"n\", kind = \"item_cuont\" }},\n]\n"),
        expect![[r#"
            shop/catchment.toml:13: unknown variant `item_cuont`, expected one of `id`, `category`, `bag`, `hash`, `words`, `trigrams`, `number`, `history`, `event_count`, `item_count`, `hour`, `weekday`, `month`, `weekend`, `cross`, `channel`, `channel_count`, `category_affinity`, `similarity`, `type_similarity`
            help: did you mean `item_count`?"#]],
    );
    check(
        &format!(
            "{GOOD}[features]\nitem = [\n  {{ name = \"n\", kind = \"item_count\", transfrom = \"log\" }},\n]\n"
        ),
        expect![[r#"
            shop/catchment.toml:13: unknown key `transfrom`, expected `name` or `transform`
            help: did you mean `transform`?"#]],
    );
    check(
        &format!("{GOOD}[ranker]\nkind = \"lr\"\nmodel = {{ ftrl = {{ alhpa = 1.0 }} }}\n"),
        expect![[r#"
            shop/catchment.toml:13: unknown key `alhpa`, expected one of `alpha`, `beta`, `l1`, `l2`, `epochs`, `patience`, `shuffle`
            help: did you mean `alpha`?"#]],
    );
    check(
        &format!("{GOOD}[ranker]\nkind = \"lr\"\nmodle = {{}}\n"),
        expect![[r#"
            shop/catchment.toml:13: unknown key `modle`, expected `kind` or `model`
            help: did you mean `model`?"#]],
    );
}

#[test]
fn an_unknown_kind_or_a_wrong_type_is_named_with_its_line() {
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ialz\""),
        expect![[r#"
        shop/catchment.toml:9: unknown variant `ialz`, expected one of `popular`, `newest`, `item_cf`, `swing`, `ials`, `item2vec`, `airbnb`, `youtube_dnn`, `dssm`, `two_tower`
        help: did you mean `ials`?"#]],
    );
    check(
        &GOOD.replace("dim = 16", "dim = \"wide\""),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: invalid type: string "wide", expected a whole number from 0
            help: give the key a value of that type"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ials\"\nk = -1"),
        expect![[r#"
            shop/catchment.toml:10: invalid value: integer `-1`, expected a whole number from 0
            help: give the key a value of that type"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "k = 10"),
        expect![[r#"
            shop/catchment.toml:7: missing key `kind`
            help: add the key; docs/contracts.md, section 3, has a whole recipe"#]],
    );
    check(
        &GOOD.replace("[split]\nkind = \"leave-last\"", ""),
        expect![[r#"
            shop/catchment.toml:1: missing key `split`
            help: add the key; docs/contracts.md, section 3, has a whole recipe"#]],
    );
    check(
        &GOOD.replace("model = { dim = 16 }", "[channel.model]\nnu = 1.0\ndim = 0.5"),
        expect![[r#"
            shop/catchment.toml:12: channel `ials`: invalid type: floating point `0.5`, expected a whole number from 0
            help: give the key a value of that type"#]],
    );
    check(
        &GOOD.replace("dim = 16", "dim = "),
        expect![[r#"
            shop/catchment.toml:10: this is not TOML: invalid literal string, expected `'`
            help: each line is a [table], or key = value with text in quotes and dots in fractions"#]],
    );
    check(
        &GOOD.replace("model", "query = {}\nmodel"),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: kind `ials` has no `query`
        help: take `query` out"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"popular\"\nindex = {}"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: kind `popular` has no `index`
            help: take `index` out"#]],
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_channel_and_what_is_allowed() {
    check(
        &GOOD.replace("dim = 16", "dim = 0"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `model.dim` = 0 is out of range: 1 to 8192
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("model = { dim = 16 }", "[channel.model]\ndim = 9\nsweeps = 0"),
        expect![[r#"
            shop/catchment.toml:12: channel `ials`: `model.sweeps` = 0 is out of range: 1 to 10000
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("model = {", "index = { recall = 1.5 }\nmodel = {"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `index.recall` = 1.5 is out of range: above 0, at most 1
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ials\"\nk = 0"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `k` = 0 is out of range: 1 to 100000
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[[channel]]\nname = \"cf\"\nkind = \"item_cf\"\nquery = {{ half_life = 0.0 }}\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `cf`: `query.half_life` = 0 is out of range: 0.001 to 1000000, or left out
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[[channel]]\nname = \"cf\"\nkind = \"item_cf\"\nmodel = {{ neighbours = 0 }}\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `cf`: `model.neighbours` = 0 is out of range: 1 to 100000
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!(
            "{GOOD}[[channel]]\nname = \"p\"\nkind = \"popular\"\nmodel = {{ half_life_days = -1.0 }}\n"
        ),
        expect![[r#"
            shop/catchment.toml:14: channel `p`: `model.half_life_days` = -1 is out of range: 0.001 to 100000, or left out
            help: choose an allowed value for that key"#]],
    );
}

#[test]
fn a_value_out_of_range_of_another_table_is_named_with_its_key() {
    check(
        &format!("{GOOD}[merge]\nkind = \"rrf\"\nweights = {{ ials = -1.0 }}\n"),
        expect![[r#"
            shop/catchment.toml:13: weights.ials of [merge] = -1 is out of range: at least 0 and finite
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[merge]\nkind = \"rrf\"\nweights = {{ ilas = 1.0 }}\n"),
        expect![[r#"
            shop/catchment.toml:13: weights of [merge] names the channel `ilas`, which is not there; channels: ials
            help: did you mean `ials`?"#]],
    );
    check(
        &format!("{GOOD}[merge]\nkind = \"quota\"\nlimit = 0\n"),
        expect![[r#"
            shop/catchment.toml:13: limit of [merge] = 0 is out of range: 1 to 100000
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[prepare]\nmin_user_events = 0\n"),
        expect![[r#"
            shop/catchment.toml:12: `prepare.min_user_events` = 0 must be at least 1
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[prepare]\nsession_gap = \"soon\"\n"),
        expect![[r#"
            shop/catchment.toml:12: `prepare.session_gap` = "soon" must be a whole number above 0 with ms, s, m, h or d, such as "30m"
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("\"leave-last\"", "\"random\"\nfraction = 1.5"),
        expect![[r#"
            shop/catchment.toml:7: `split.fraction` = 1.5 must be above 0 and below 1
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[evaluate]\nks = [10, 0]\n"),
        expect![[r#"
        shop/catchment.toml:12: evaluate.ks: 0 is not a cut-off from 1 to 100000
        help: change `ks` in [evaluate]"#]],
    );
    check(
        &format!("{GOOD}[features]\nuser = [\n  {{ name = \"h\", kind = \"history\", last = 0 }},\n]\n"),
        expect![[r#"
            shop/catchment.toml:13: features.user.h.last: 0 is not at least 1
            help: change that key of the feature"#]],
    );
    let with_ranker = GOOD.replace(
        "\"leave-last\"",
        "\"leave-last\"\nvalidation = { kind = \"leave-last\" }",
    );
    check(
        &format!("{with_ranker}[ranker]\nkind = \"lr\"\nmodel = {{ ftrl = {{ alpha = 0.0 }} }}\n"),
        expect![[r#"
            shop/catchment.toml:14: `ranker.model.ftrl.alpha` = 0 is out of range: a finite number above 0
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{with_ranker}[ranker]\nkind = \"lr\"\nmodel = {{ test_fraction = 0.9 }}\n"),
        expect![[r#"
            shop/catchment.toml:14: `ranker.model.test_fraction` = 0.9 is out of range: above 0 and at most 0.4
            help: choose an allowed value for that key"#]],
    );
}

#[test]
fn what_does_not_fit_together_is_named() {
    check(
        &GOOD.replace("name = \"shop\"", "name = \"../shop\""),
        expect![[r#"
        shop/catchment.toml:2: name "../shop" is also the name of a folder: letters, digits, `_` and `-` only
        help: rename the recipe"#]],
    );
    check(
        &GOOD.replace("name = \"ials\"", "name = \"a/b\""),
        expect![[r#"
        shop/catchment.toml:8: channel name "a/b" is also the name of a folder: letters, digits, `_` and `-` only
        help: rename the channel"#]],
    );
    check(
        &GOOD.replace("name = \"ials\"", "name = \"ranked\""),
        expect![[r#"
        shop/catchment.toml:8: a channel cannot be called `ranked`: reports call another list so
        help: rename the channel"#]],
    );
    check(
        &format!("{GOOD}[[channel]]\nname = \"ials\"\nkind = \"popular\"\n"),
        expect![[r#"
            shop/catchment.toml:12: two channels are called `ials`
            help: rename one of them"#]],
    );
    check(
        &format!("{GOOD}[lists]\nials = \"a.parquet\"\n"),
        expect![[r#"
        shop/catchment.toml:12: a list and a channel are both called `ials`
        help: rename the list"#]],
    );
    check(
        &format!("{GOOD}[ranker]\nkind = \"lr\"\n"),
        expect![[r#"
        shop/catchment.toml:11: [ranker] needs split.validation: it learns from what the channels find for rows that they were not fitted on
        help: add validation = { kind = "leave-last" } to [split], or take [ranker] out"#]],
    );
    check(
        &format!(
            "{GOOD}[features]\ncandidate = [\n  {{ name = \"c\", kind = \"channel\", channel = \"isal\" }},\n]\n"
        ),
        expect![[r#"
            shop/catchment.toml:13: the feature `c` names the channel `isal`, which is not there; channels: ials
            help: did you mean `ials`?"#]],
    );
    check(
        &GOOD.replace(
            "format = \"csv\"",
            "format = \"csv\", time_origin = \"2012-04-03T00:00:00Z\"",
        ),
        expect![[r#"
            shop/catchment.toml:4: data.interactions: `time_unit` must be s, ms, us or min where there is a time_origin
            help: mend this key of the source"#]],
    );
}

#[test]
fn settings_of_item2vec_are_checked_with_their_line() {
    let recipe = |lines: &str| {
        let channel = "[[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\n";
        format!("{GOOD}{channel}{lines}")
    };
    check(
        &recipe("sessions = { gap_minutes = 0 }\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `vectors`: `sessions.gap_minutes` = 0 is out of range: at least a millisecond, below 30000 years
            help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("model = { context = { window = 0 } }\n"),
        expect![[r#"
        shop/catchment.toml:14: channel `vectors`: `model.context` = 0 is out of range: 1 or more
        help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("model = { exponent = nan }\n"),
        expect![[r#"
        shop/catchment.toml:14: channel `vectors`: `model.exponent` = NaN is out of range: any finite number
        help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("query = { neighbours = 0 }\n"),
        expect![[r#"
        shop/catchment.toml:14: channel `vectors`: `query.neighbours` = 0 is out of range: from 1 to 10000
        help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("cold = { words = [\"title\"], most_sharing = 0 }\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `vectors`: `cold.most_sharing` = 0 is out of range: 1 or more
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ials\"\nsessions = {}"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: kind `ials` has no `sessions`
            help: take `sessions` out"#]],
    );
}

#[test]
fn settings_of_airbnb_are_checked_with_their_line() {
    let recipe = |lines: &str| {
        let channel = "[[channel]]\nname = \"stays\"\nkind = \"airbnb\"\n";
        format!("{GOOD}{channel}{lines}")
    };
    check(
        &recipe("objective = { oversample = 0 }\n"),
        expect![[r#"
        shop/catchment.toml:14: channel `stays`: `objective.oversample` = 0 is out of range: 1 to 1000
        help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("cold = { radius_km = -1 }\n"),
        expect![[r#"
        shop/catchment.toml:14: channel `stays`: `cold.radius_km` = -1 is out of range: a finite number above 0
        help: choose an allowed value for that key"#]],
    );
    check(
        &recipe("cold = { same = [{ column = \"price\", boundaries = [2, 1] }] }\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `stays`: `cold.same[0].boundaries`: must be finite and rise
            help: docs/contracts.md, section 3, lists the keys of a recipe"#]],
    );
    check(
        &recipe("types = { users = [{ goals = \"count\", boundaries = [1] }] }\n"),
        expect![[r#"
            shop/catchment.toml:14: channel `stays`: `types` are learned from goals, and `objective` names none
            help: set objective = { goal = "…" }"#]],
    );
    check(
        &recipe(
            "objective = { goal = \"buy\" }\ntypes = { users = [{ goals = \"count\", boundaries = [1] }] }\n",
        ),
        expect![[r#"
            shop/catchment.toml:15: channel `stays`: `types.items` = empty is out of range: one rule or more: without any, all are of one kind
            help: choose an allowed value for that key"#]],
    );
    check(
        &recipe(
            "objective = { goal = \"buy\" }\n[channel.types]\nusers = [{ column = \"age\" }]\nitems = [{ column = \"kind\" }]\nmodel = { dim = 0 }\n",
        ),
        expect![[r#"
            shop/catchment.toml:18: channel `stays`: `types.model.dim` = 0 is out of range: 1 to 1024
            help: choose an allowed value for that key"#]],
    );
    check(
        &recipe(
            "objective = { goal = \"buy\" }\n[channel.types]\nusers = [{ column = \"age\" }]\nitems = [{ column = \"kind\" }]\nreject = \"buy\"\n",
        ),
        expect![[r#"
            shop/catchment.toml:18: channel `stays`: `types.reject` = buy is out of range: another event than `objective.goal`
            help: choose an allowed value for that key"#]],
    );
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ials\"\ncold = {}"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: kind `ials` has no `cold`
            help: take `cold` out"#]],
    );
}

#[test]
fn a_channel_of_airbnb_has_the_papers_settings_where_it_says_nothing() {
    let recipe =
        format!("{GOOD}[[channel]]\nname = \"stays\"\nkind = \"airbnb\"\nmodel = {{ epochs = 3 }}\n");
    let Ok(recipe) = Recipe::parse(&recipe, Path::new("catchment.toml"), &|_| None) else {
        panic!("refused");
    };
    let Some(ChannelModel::Airbnb {
        model,
        objective,
        types,
        sessions,
        ..
    }) = recipe.channels.last().map(|channel| &channel.model)
    else {
        panic!("another kind");
    };
    assert_eq!((model.dim, model.epochs, model.negatives), (32, 3, 5));
    assert_eq!((objective.oversample, objective.market_negatives), (5, 5));
    assert!(types.is_none());
    assert_eq!(*sessions, catchment_models::airbnb::default_sessions());
    assert_eq!(
        (sessions.gap_minutes, sessions.min_dwell_seconds),
        (Some(30.0), Some(30.0))
    );
}

#[test]
fn the_recipes_of_the_page_on_airbnb_are_recipes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/airbnb.md");
    // The page is not in the crate's own package.
    let Ok(page) = std::fs::read_to_string(page) else {
        return;
    };
    let blocks: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let path = Path::new("docs/airbnb.toml");
        if let Err(problem) = Recipe::parse(block, path, &|_| None) {
            panic!("{}", problem.in_text(path, block));
        }
    }
}

#[test]
fn what_towers_cannot_be_is_named_with_its_key() {
    let with = |kind: &str, rest: &str| {
        GOOD.replace("kind = \"ials\"", &format!("kind = \"{kind}\""))
            .replace("model = { dim = 16 }", rest)
    };
    check(
        &with("youtube_dnn", "model = { preset = \"paper\" }"),
        expect!["shop shop/log.csv"],
    );
    check(
        &with("dssm", "model = { preset = \"large\" }"),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: `model.preset` = "large" is none: nano, small, paper
        help: name one of these, or take it out"#]],
    );
    check(
        &with("two_tower", "model = { temperature = 0.0 }"),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: `model.temperature` = 0 is out of range: above 0, finite
        help: choose an allowed value for that key"#]],
    );
    check(
        &with(
            "two_tower",
            "model = { epochs = 1, examples = { order = { by_time = { shard_days = 0 } } } }",
        ),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: `model.examples.order.by_time.shard_days` = 0 is out of range: above 0, below 1000000
        help: choose an allowed value for that key"#]],
    );
    check(
        &with("two_tower", "model = { hard = { ranks = [5, 5] } }"),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: `model.hard.ranks` = [5, 5] is out of range: two ranks, the first below the second
        help: choose an allowed value for that key"#]],
    );
    check(
        &with(
            "youtube_dnn",
            "features = { item = [{ name = \"item\", kind = \"id\" }] }",
        ),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `features.item`: the items of `youtube_dnn` are the weights of its softmax, and have no features
            help: docs/contracts.md, section 3, lists the keys of a recipe"#]],
    );
    check(
        &with(
            "two_tower",
            "features = { candidate = [{ name = \"n\", kind = \"channel_count\" }] }",
        ),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `features.candidate`: towers meet before there are candidates; a ranker has these
            help: docs/contracts.md, section 3, lists the keys of a recipe"#]],
    );
    check(
        &with(
            "youtube_dnn",
            "model = { normalised = false }\nindex = { kind = \"hnsw\" }",
        ),
        expect![[r#"
            shop/catchment.toml:11: channel `ials`: `hnsw` compares directions, and these vectors have lengths: `auto` or `exact`, or model = { normalised = true, bias = false }
            help: docs/contracts.md, section 3, lists the keys of a recipe"#]],
    );
    // A bias gives vectors of length one another dimension, of any size.
    check(
        &with(
            "youtube_dnn",
            "model = { normalised = true, bias = true }\nindex = { kind = \"hnsw\" }",
        ),
        expect![[r#"
            shop/catchment.toml:11: channel `ials`: `hnsw` compares directions, and these vectors have lengths: `auto` or `exact`, or model = { normalised = true, bias = false }
            help: docs/contracts.md, section 3, lists the keys of a recipe"#]],
    );
    check(
        &with("ials", "features = { user = [] }"),
        expect![[r#"
        shop/catchment.toml:10: channel `ials`: kind `ials` has no `features`
        help: take `features` out"#]],
    );
}
