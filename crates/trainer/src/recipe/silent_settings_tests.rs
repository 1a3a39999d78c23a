//! Settings that would be taken without a word and mean nothing.

use expect_test::expect;

use super::{GOOD, check};

#[test]
fn what_would_be_taken_and_mean_nothing_is_refused() {
    check(
        &GOOD.replace("kind = \"ials\"", "kind = \"ials\"\nk = 1000000000000"),
        expect![[r#"
            shop/catchment.toml:10: channel `ials`: `k` = 1000000000000 is out of range: 1 to 100000
            help: choose an allowed value for that key"#]],
    );
    let channel = |kind: &str, settings: &str| {
        format!("{GOOD}[[channel]]\nname = \"c\"\nkind = \"{kind}\"\n{settings}\n")
    };
    check(
        &channel("swing", "model = { max_users = 0 }"),
        expect![[r#"
            shop/catchment.toml:14: channel `c`: `model.max_users` = 0 is out of range: from 2; a number that no item reaches looks at all
            help: choose an allowed value for that key"#]],
    );
    for kind in ["popular", "item_cf", "swing"] {
        check(
            &channel(kind, "query = { recent_items = 0 }"),
            expect![[r#"
                shop/catchment.toml:14: channel `c`: `query.recent_items` = 0 is out of range: from 1; left out, it takes all
                help: choose an allowed value for that key"#]],
        );
    }
    check(
        &channel("newest", "query = { max_age_days = 1e-9 }"),
        expect![[r#"
            shop/catchment.toml:14: channel `c`: `query.max_age_days` = 0.000000001 is out of range: 1 ms to 100000 days, or left out
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!(
            "{GOOD}[features]\nuser = [{{ name = \"a\", kind = \"history\", half_life = {{ days = 1e-300 }} }}]\n"
        ),
        expect![[r#"
            shop/catchment.toml:12: features.user.a.half_life: 1e-300 is not finite and at least 1 ms
            help: change that key of the feature"#]],
    );
    check(
        &format!(
            "{GOOD}[features]\nuser = [{{ name = \"a\", kind = \"id\" }}, {{ name = \"b\", kind = \"cross\", features = [\"a\", \"a\"] }}]\n"
        ),
        expect![[r#"
            shop/catchment.toml:12: features.user.b.features: `a` is crossed with itself; each feature may be named once
            help: name another feature in its place"#]],
    );
    check(
        &format!("{GOOD}[merge]\nkind = \"quota\"\nquotas = {{ ials = 0 }}\n"),
        expect![[r#"
            shop/catchment.toml:13: quotas of [merge] = 0 for every channel is out of range: at least 1 for some channel, or one left out: it takes what is left of limit
            help: choose an allowed value for that key"#]],
    );
    check(
        &format!("{GOOD}[merge]\nkind = \"weighted\"\nweights = {{ ials = 0.0 }}\n"),
        expect![[r#"
            shop/catchment.toml:13: weights of [merge] = 0 for every channel is out of range: above 0 for at least one channel; without votes the order would be that of the items
            help: choose an allowed value for that key"#]],
    );
}
