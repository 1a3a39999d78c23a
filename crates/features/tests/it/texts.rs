//! Words and letter trigrams of texts.

use std::sync::Arc;

use catchment_features::{
    Error, FeatureBatch, FeatureSpec, Fingerprint, FitTables, FittedFeatures, Side, UserInput,
};
use catchment_schema::arrow::array::{ArrayRef, StringArray};
use catchment_schema::{AttributeTable, Histories, Time, Vocabulary};

use crate::world::{World, lists, spec};

/// Queries and documents.
struct Library {
    queries: Vocabulary,
    documents: Vocabulary,
    query_texts: AttributeTable,
    document_texts: AttributeTable,
}

impl Library {
    fn new(queries: &[Option<&str>], documents: &[Option<&str>]) -> Self {
        let names = |letter: &str, n: usize| -> Vocabulary {
            let ids: Vec<String> = (0..n).map(|place| format!("{letter}{place}")).collect();
            Vocabulary::from_counts(ids.iter().map(|id| (id, 1_u64)))
        };
        let table = |texts: &[Option<&str>], vocabulary: &Vocabulary| {
            let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
            World::table(&[("text", column)], vocabulary)
        };
        let (queries_ids, documents_ids) = (names("q", queries.len()), names("d", documents.len()));
        Self {
            query_texts: table(queries, &queries_ids),
            document_texts: table(documents, &documents_ids),
            queries: queries_ids,
            documents: documents_ids,
        }
    }

    fn fit(&self, spec: &FeatureSpec) -> catchment_features::Result<FittedFeatures> {
        spec.fit(&FitTables {
            users: &self.queries,
            items: &self.documents,
            user_attributes: &self.query_texts,
            item_attributes: &self.document_texts,
            histories: &Histories::empty(self.queries.len()),
            channels: &[],
        })
    }

    /// Ids and weights of each query and of each document in the side's only feature.
    fn rows(&self, fitted: &FittedFeatures, side: Side) -> Vec<Vec<(u32, f32)>> {
        let mut batch = FeatureBatch::default();
        if side == Side::Item {
            fitted
                .transform_items(&self.documents, &self.document_texts, &mut batch)
                .expect("transformed");
        } else {
            for row in 0..self.queries.len() {
                let input = UserInput {
                    attributes: Some((&self.query_texts, row)),
                    ..UserInput::anonymous(Time::UNKNOWN)
                };
                fitted.transform_user(&input, &mut batch).expect("a row");
            }
        }
        let bag = |row: usize| {
            let (ids, weights) = batch.row(row).bag(0);
            ids.iter().copied().zip(weights.iter().copied()).collect()
        };
        (0..batch.rows).map(bag).collect()
    }
}

#[test]
fn a_text_is_the_counts_of_its_trigrams() {
    let library = Library::new(
        &[],
        &[Some("Good! good"), Some("good mood"), Some(""), None, Some("?!")],
    );
    let fitted = library
        .fit(&spec(
            r#"item = [{ name = "text", kind = "trigrams", column = "text" }]"#,
        ))
        .expect("fitted");
    // In two texts: #go, goo, od#, ood. In one: #mo, moo. By falling count, ties by the piece; then the bucket.
    let ids = |numbers: &[u32], weight: f32| numbers.iter().map(|&id| (id, weight)).collect::<Vec<_>>();
    let rows = library.rows(&fitted, Side::Item);
    assert_eq!(rows[0], ids(&[0, 1, 2, 3], 2.0));
    assert_eq!(
        rows[1],
        [(0, 1.0), (1, 1.0), (2, 2.0), (3, 2.0), (4, 1.0), (5, 1.0)]
    );
    for nothing in &rows[2..] {
        assert!(nothing.is_empty());
    }
    assert_eq!(
        fitted.shape(Side::Item)[0].kind,
        catchment_features::ColumnKind::Bag { cardinality: 7 }
    );
}

#[test]
fn what_is_rare_or_unknown_is_counted_in_its_bucket_or_left_out() {
    let texts = [Some("good"), Some("good"), Some("rare")];
    let library = Library::new(&[Some("goodbye"), Some("xyzzy"), Some("多路 Ωmega")], &texts);
    let of = |oov_buckets: u32| {
        let recipe = format!(
            r#"user = [{{ name = "q", kind = "trigrams", column = "text", vocabulary = ["item.text"], min_count = 2,
            oov_buckets = {oov_buckets} }}]"#
        );
        let fitted = library.fit(&spec(&recipe)).expect("fitted");
        library.rows(&fitted, Side::User)
    };
    // `good` alone is known, as #go goo od# ood: of goodbye #go goo ood, and odb dby bye ye# are not.
    let known = [(0, 1.0), (1, 1.0), (3, 1.0)];
    assert_eq!(of(0)[0], known);
    assert_eq!(of(1)[0], [&known[..], &[(4, 4.0)]].concat());
    // #xy xyz yzz zzy zy#, and letters of other scripts: #多路 多路# #ωm ωme meg ega ga#.
    assert!(of(0)[1].is_empty() && of(0)[2].is_empty());
    assert_eq!(of(1)[1], [(4, 5.0)]);
    assert_eq!(of(1)[2], [(4, 7.0)]);
    let spread: f32 = of(3)[2]
        .iter()
        .map(|&(id, weight)| if id >= 4 { weight } else { 0.0 })
        .sum();
    assert_eq!(
        spread.to_bits(),
        7.0_f32.to_bits(),
        "none is lost to another bucket"
    );
}

#[test]
fn letters_of_any_script_are_letters() {
    let library = Library::new(&[], &[Some("Éclair ÉCLAIR éclair"), Some("e\u{301}clair")]);
    let fitted = library
        .fit(&spec(
            r#"item = [{ name = "text", kind = "words", column = "text" }]"#,
        ))
        .expect("fitted");
    let rows = library.rows(&fitted, Side::Item);
    // `éclair` three times in one case; a mark that is written apart makes `e` and `clair`: clair, e, éclair.
    assert_eq!(rows, [vec![(2, 3.0)], vec![(0, 1.0), (1, 1.0)]]);
}

#[test]
fn lists_of_texts_are_texts_that_stand_apart() {
    let mut world = World::new();
    let titles: [Option<&[&str]>; 5] = [
        Some(&["ab", "cd"]),
        Some(&["abcd"]),
        Some(&[]),
        None,
        Some(&["ab ab"]),
    ];
    world.item_columns.push(("titles", lists(&titles)));
    let fitted = world
        .try_fit(&spec(
            r#"item = [{ name = "text", kind = "trigrams", column = "titles", pooling = "mean" }]"#,
        ))
        .expect("fitted");
    let items = world.catalogue(&fitted);
    let weights = |row: usize| items.row(row).bag(0).1.to_vec();
    assert_eq!(weights(0), [0.25; 4], "#ab ab# #cd cd#");
    assert_eq!(weights(1), [0.25; 4], "#ab abc bcd cd#");
    assert!(weights(2).is_empty() && weights(3).is_empty());
    assert_eq!(weights(4), [0.5; 2], "#ab ab#, as often each");
}

#[test]
fn features_of_one_vocabulary_have_one_numbering() {
    let library = Library::new(&[Some("good mood"), Some("new")], &[Some("good"), Some("mood")]);
    let recipe = |kind: &str, vocabulary: &str| {
        format!(
            r#"user = [{{ name = "q", kind = "{kind}", column = "text"{vocabulary} }}]
            item = [{{ name = "d", kind = "{kind}", column = "text"{vocabulary} }}]"#
        )
    };
    let ids = |recipe: &str| -> (Fingerprint, Fingerprint) {
        let fitted = library.fit(&spec(recipe)).expect("fitted");
        (fitted.texts(Side::User)[0].1, fitted.texts(Side::Item)[0].1)
    };
    let of_items = r#", vocabulary = ["item.text"]"#;
    let (query, document) = ids(&recipe("trigrams", of_items));
    assert_eq!(query, document);
    let (own_query, own_document) = ids(&recipe("trigrams", ""));
    assert_ne!(own_query, own_document);
    assert_eq!(
        own_document, document,
        "that of the items is the same, named or not"
    );
    assert_ne!(ids(&recipe("words", of_items)).0, query);
    let both = r#", vocabulary = ["item.text", "user.text"]"#;
    let (query, document) = ids(&recipe("words", both));
    assert_eq!(query, document);

    let fitted = library.fit(&spec(&recipe("words", both))).expect("fitted");
    // good and mood are in two texts each, new in one.
    assert_eq!(
        library.rows(&fitted, Side::User),
        [vec![(0, 1.0), (1, 1.0)], vec![(2, 1.0)]]
    );
    assert_eq!(library.rows(&fitted, Side::Item), [[(0, 1.0)], [(1, 1.0)]]);
}

#[test]
fn a_saved_text_feature_is_read_again_and_says_its_format() {
    let library = Library::new(&[Some("good")], &[Some("good mood")]);
    let fitted = library
        .fit(&spec(
            r#"item = [{ name = "d", kind = "trigrams", column = "text" }, { name = "w", kind = "words", column = "text" }]"#,
        ))
        .expect("fitted");
    let folder = tempfile::tempdir().expect("a folder");
    fitted.save(folder.path()).expect("written");
    let path = folder.path().join("features.json");
    let json = std::fs::read_to_string(&path).expect("text");
    assert!(json.starts_with(r#"{"format":4,"#), "{json}");
    assert_eq!(FittedFeatures::open(folder.path()).expect("read"), fitted);
    std::fs::write(&path, json.replacen(r#""format":4"#, r#""format":2"#, 1)).expect("written");
    let error = FittedFeatures::open(folder.path()).expect_err("no older format says this");
    assert!(matches!(error, Error::BadFile { .. }), "{error}");
}

#[test]
fn settings_of_texts_that_cannot_be_are_refused() {
    let library = Library::new(&[Some("good")], &[Some("good")]);
    let refused = |recipe: &str| library.fit(&spec(recipe)).expect_err("refused").to_string();
    assert_eq!(
        refused(r#"user = [{ name = "q", kind = "trigrams", column = "text", vocabulary = ["text"] }]"#),
        "features.user.q.vocabulary: \"text\" is no column of a side; write `user.` or `item.` before its name"
    );
    assert_eq!(
        refused(r#"user = [{ name = "q", kind = "words" }]"#),
        "features.user.q.column: this kind reads a column of the attributes; name one"
    );
    let missing =
        refused(r#"user = [{ name = "q", kind = "words", column = "text", vocabulary = ["item.body"] }]"#);
    assert!(
        missing.contains("`body`") && missing.contains("item attributes"),
        "{missing}"
    );
}

#[test]
fn a_vocabulary_that_grows_keeps_its_ids() {
    let recipe =
        spec(r#"item = [{ name = "d", kind = "trigrams", column = "text", vocabulary = ["item.text"] }]"#);
    let library = Library::new(&[], &[Some("good"), Some("mood")]);
    let fitted = library.fit(&recipe).expect("fitted");
    let before = library.rows(&fitted, Side::Item);
    let later = Library::new(&[], &[Some("book"), Some("book")]);
    let grown = recipe
        .grow(
            &fitted,
            &FitTables {
                users: &later.queries,
                items: &later.documents,
                user_attributes: &later.query_texts,
                item_attributes: &later.document_texts,
                histories: &Histories::empty(0),
                channels: &[],
            },
        )
        .expect("grown")
        .features;
    assert_eq!(library.rows(&grown, Side::Item), before);
    assert!(library.rows(&grown, Side::Item) != later.rows(&grown, Side::Item));
    assert_eq!(later.rows(&grown, Side::Item)[0].len(), 4);
}
