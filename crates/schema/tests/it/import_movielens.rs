//! MovieLens, as its authors publish it and as development data.

use std::fs;

use catchment_schema::import::{Format, Source, import_items, import_users};
use expect_test::expect;

use super::imported::{check, import, shown, source};

#[test]
fn movielens_ratings_are_read_in_both_forms() {
    let official = "1::1193::5::978300760\n1::661::3::978302109\n";
    check(
        "ratings.dat",
        official,
        Format::MovieLens1m,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            1|1193|978300760000|-|5.0|-|-|-
            1|661|978302109000|-|3.0|-|-|-
        "#]],
    );
    let development = "user\tmovie\trating\tchrono_rank\tts_lo\tts_hi\n\
                       1\t1193\t5\t2\t978300760\t978300760\n\
                       1\t661\t3\t1\t0\t978302109\n\
                       2\t9\t4\t0\t978300000\t978300000\n";
    check(
        "ratings.tsv",
        development,
        Format::MovieLens1m,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            1|1193|978300760000|-|5.0|-|-|2
            1|661|-|-|3.0|-|-|1
            2|9|978300000000|-|4.0|-|-|0
        "#]],
    );
    check(
        "u.data",
        "196\t242\t3\t881250949\n",
        Format::MovieLens100k,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            196|242|881250949000|-|3.0|-|-|-
        "#]],
    );
}

#[test]
fn a_movielens_folder_stands_for_its_three_tables() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let flags = |genre: usize| {
        (0..19)
            .map(|at| if at == genre { "|1" } else { "|0" })
            .collect::<String>()
    };
    let mut movies = b"1|Am\xe9lie (2001)|25-Apr-2001||http://example.org/1".to_vec();
    movies.extend(flags(5).as_bytes());
    movies.extend(b"\n2|unknown|||");
    movies.extend(flags(0).as_bytes());
    movies.push(b'\n');
    fs::write(folder.path().join("u.item"), movies).expect("writes");
    fs::write(folder.path().join("u.user"), "1|24|M|technician|05711\n").expect("writes");
    fs::write(folder.path().join("u.data"), "1\t2\t3\t881250949\n").expect("writes");
    fs::write(folder.path().join("u1.base"), "1\t2\t3\t881250949\n").expect("writes");
    let source = source(folder.path(), Format::MovieLens100k);
    let (items, _) = import_items(&source).expect("items");
    expect![[r#"
        item_id|title|category|published_at|imdb_url
        1|Amélie (2001)|[Comedy]|988156800000|http://example.org/1
        2|unknown|[unknown]|-|-
    "#]]
    .assert_eq(&shown(&[items]));
    let (users, _) = import_users(&source).expect("users");
    expect![[r#"
        user_id|age|gender|occupation|zip_code
        1|24.0|M|technician|05711
    "#]]
    .assert_eq(&shown(&[users]));
    assert_eq!(import(&source).expect("log").1.rows, 1);

    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(
        folder.path().join("movies.dat"),
        b"1::Am\xe9lie::Comedy|Children's\n2::X::\n",
    )
    .expect("writes");
    fs::write(folder.path().join("users.dat"), "1::F::1::10::48067\n").expect("writes");
    let source = Source::new(folder.path().to_string_lossy(), Format::MovieLens1m);
    let (items, _) = import_items(&source).expect("items");
    expect![[r#"
        item_id|title|category
        1|Amélie|[Comedy, Children's]
        2|X|[]
    "#]]
    .assert_eq(&shown(&[items]));
    let (users, _) = import_users(&source).expect("users");
    expect![[r#"
        user_id|age|gender|occupation|zip_code
        1|1.0|F|10|48067
    "#]]
    .assert_eq(&shown(&[users]));
}
