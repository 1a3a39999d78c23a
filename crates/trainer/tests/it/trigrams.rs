//! `catchment-train trigrams`.

use expect_test::expect;

use crate::place::Place;

#[test]
fn trigrams_are_counted_and_words_that_share_them_all_are_named() {
    let place = Place::empty();
    place.write("words.txt", "Good food,\ngood abababxabab\nababxababab\n");
    expect![[r#"
        4 words, 13 letter trigrams, 1 collisions (25.0000 %)
        the same: abababxabab, ababxababab
    "#]]
    .assert_eq(&place.run("trigrams words.txt").well());
    let report = place.run("trigrams words.txt --json").json();
    assert_eq!((&report["words"], &report["collisions"]), (&4.into(), &1.into()));
    place.write("words.txt", "… —\n");
    expect![[r#"
        1: error: words.txt has no word
        help: words are runs of letters and digits"#]]
    .assert_eq(&place.refuse("trigrams words.txt"));
    expect![[r#"
        2: error: none.txt cannot be read: no such file
        help: a text file, or a list of words with one on each line"#]]
    .assert_eq(&place.refuse("trigrams none.txt"));
}
