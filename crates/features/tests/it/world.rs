//! A small world: four users, five items, nine events, every kind of feature.

use std::path::Path;
use std::sync::Arc;

use catchment_features::{
    FeatureBatch, FeatureColumn, FeatureSpec, Fit, FitTables, FittedFeatures, UserInput,
};
use catchment_schema::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Float64Builder, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMillisecondArray,
};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

/// Every kind on every side where it can stand.
pub(crate) const RECIPE: &str = r#"
user = [
    { name = "user", kind = "id", oov_buckets = 3, min_count = 2 },
    { name = "gender", kind = "category", column = "gender" },
    { name = "member", kind = "category", column = "member", oov_buckets = 0 },
    { name = "age", kind = "number", column = "age", transform = "z_score", missing_flag = true },
    { name = "age_group", kind = "number", column = "age", transform = { boundaries = [18, 35] } },
    { name = "interests", kind = "bag", column = "interests", oov_buckets = 2, pooling = "mean" },
    { name = "recent", kind = "history", last = 2, pooling = "mean" },
    { name = "events", kind = "event_count" },
]
item = [
    { name = "item", kind = "id" },
    { name = "genres", kind = "bag", column = "category", min_count = 2 },
    { name = "price", kind = "number", column = "price", transform = "log_z_score" },
    { name = "price_band", kind = "number", column = "price", transform = { quantiles = 2 } },
    { name = "popularity", kind = "item_count", transform = "log" },
]
context = [{ name = "hour", kind = "hour" }, { name = "weekday", kind = "weekday" }]
candidate = [
    { name = "item_cf", kind = "channel", channel = "item_cf" },
    { name = "popular", kind = "channel", channel = "popular" },
    { name = "found_by", kind = "channel_count" },
    { name = "so_far", kind = "item_count", transform = "none" },
    { name = "taste", kind = "category_affinity", column = "category", last = 3 },
]
"#;

/// [`RECIPE`], and what the first format could not say.
pub(crate) fn whole_recipe() -> String {
    let more = [
        (
            "{ name = \"events\", kind = \"event_count\" },",
            r#"
    { name = "interests_hashed", kind = "hash", column = "interests", buckets = 50, hashes = 3, signed = true, pooling = "mean" },
    { name = "user_hashed", kind = "hash", buckets = 20 },
    { name = "strongest", kind = "bag", column = "interests", weights = "strengths", max = 1, keep = "heaviest" },
    { name = "latest", kind = "bag", column = "interests", max = 1, keep = "last" },
    { name = "half", kind = "history", half_life = { positions = 2 }, pooling = "mean" },
    { name = "fresh", kind = "history", last = 3, half_life = { hours = 0.000005 } },
    { name = "span", kind = "number", column = "age", transform = "min_max", missing_flag = true },
    { name = "joined", kind = "month", column = "joined", utc_offset = "-05:00" },
    { name = "gender_age", kind = "cross", features = ["gender", "age_group"] },"#,
        ),
        (
            "{ name = \"popularity\", kind = \"item_count\", transform = \"log\" },",
            r#"
    { name = "band", kind = "number", column = "price", transform = { boundaries = [5] } },
    { name = "shelf", kind = "cross", features = ["band", "band"], buckets = 6 },
    { name = "out_on", kind = "weekday", column = "published_at", cyclic = true },"#,
        ),
        (
            "{ name = \"weekday\", kind = \"weekday\" }",
            r#",
    { name = "weekend", kind = "weekend", utc_offset = "+05:30" },
    { name = "evening", kind = "hour", utc_offset = "+08:00" },
    { name = "circle", kind = "month", cyclic = true },
    { name = "when", kind = "cross", features = ["weekend", "evening"] },"#,
        ),
        (
            "column = \"category\", last = 3 },",
            r#"
    { name = "match", kind = "cross", features = ["user.gender", "item.genres"] },
    { name = "season", kind = "cross", features = ["context.evening", "item.price_band", "user.interests"], buckets = 40 },"#,
        ),
    ];
    more.into_iter()
        .fold(RECIPE.to_owned(), |recipe, (last, behind)| {
            assert!(recipe.contains(last), "{last}");
            recipe.replacen(last, &format!("{last}{behind}"), 1)
        })
}

/// The whole language where it can grow: crosses have buckets.
pub(crate) fn growing_recipe() -> String {
    let mut recipe = whole_recipe();
    for cross in [
        r#"features = ["gender", "age_group"]"#,
        r#"features = ["user.gender", "item.genres"]"#,
    ] {
        assert!(recipe.contains(cross), "{cross}");
        recipe = recipe.replacen(cross, &format!("{cross}, buckets = 30"), 1);
    }
    recipe
}

pub(crate) struct World {
    pub(crate) users: Vocabulary,
    pub(crate) items: Vocabulary,
    pub(crate) user_columns: Vec<(&'static str, ArrayRef)>,
    pub(crate) item_columns: Vec<(&'static str, ArrayRef)>,
    pub(crate) events: Vec<(u32, u32, i64)>,
    pub(crate) channels: Vec<String>,
}

pub(crate) fn spec(recipe: &str) -> FeatureSpec {
    toml::from_str(recipe).expect("a recipe")
}

pub(crate) fn lists(rows: &[Option<&[&str]>]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match row {
            Some(words) => {
                words.iter().for_each(|word| builder.values().append_value(word));
                builder.append(true);
            }
            None => builder.append(false),
        }
    }
    Arc::new(builder.finish())
}

/// Lists of numbers.
pub(crate) fn number_lists(rows: &[Option<&[Option<f64>]>]) -> ArrayRef {
    let mut builder = ListBuilder::new(Float64Builder::new());
    for row in rows {
        match row {
            Some(numbers) => {
                numbers
                    .iter()
                    .for_each(|number| builder.values().append_option(*number));
                builder.append(true);
            }
            None => builder.append(false),
        }
    }
    Arc::new(builder.finish())
}

impl World {
    pub(crate) fn new() -> Self {
        let genders = StringArray::from(vec![Some("f"), Some("m"), Some("f"), None]);
        let members = BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]);
        let ages = Float64Array::from(vec![Some(20.0), Some(40.0), Some(f64::NAN), None]);
        let strengths = number_lists(&[
            Some(&[Some(0.5), Some(1.0), Some(0.75)]),
            Some(&[Some(f64::NAN)]),
            Some(&[Some(1.0)]),
            None,
        ]);
        // The first of March 2024 at 02:00 UTC, still February in New York; the epoch; nothing; the end of 1969.
        let joined = TimestampMillisecondArray::from(vec![Some(1_709_258_400_000), Some(0), None, Some(-1)]);
        let published =
            TimestampMillisecondArray::from(vec![Some(0), Some(86_400_000), None, Some(-1), Some(1)]);
        let prices = Int64Array::from(vec![Some(1), Some(10), Some(100), None, Some(10)]);
        Self {
            // u0, u1, u2, u3 and i0 … i4, in this order.
            users: Vocabulary::from_counts([("u0", 4), ("u1", 3), ("u2", 2), ("u3", 1)]),
            items: Vocabulary::from_counts([("i0", 3), ("i1", 2), ("i2", 2), ("i3", 1), ("i4", 0)]),
            user_columns: vec![
                ("gender", Arc::new(genders) as ArrayRef),
                ("member", Arc::new(members)),
                ("age", Arc::new(ages)),
                (
                    "interests",
                    lists(&[Some(&["art", "film", "art"]), Some(&["film"]), Some(&[]), None]),
                ),
                ("strengths", strengths),
                ("joined", Arc::new(joined)),
            ],
            item_columns: vec![
                (
                    "category",
                    lists(&[
                        Some(&["drama", "comedy"]),
                        Some(&["comedy"]),
                        Some(&["drama", "war"]),
                        None,
                        Some(&["comedy"]),
                    ]),
                ),
                ("price", Arc::new(prices)),
                ("published_at", Arc::new(published)),
            ],
            events: vec![
                (0, 0, 10),
                (0, 1, 20),
                (0, 2, 20),
                (0, 0, 30),
                (1, 1, 5),
                (1, 0, 15),
                (1, 3, 25),
                (2, 2, 12),
            ],
            channels: vec!["item_cf".to_owned(), "popular".to_owned()],
        }
    }

    pub(crate) fn table(columns: &[(&'static str, ArrayRef)], vocabulary: &Vocabulary) -> AttributeTable {
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values(vocabulary.ids()));
        let columns = columns.iter().map(|(name, array)| (*name, array.clone()));
        let batch = RecordBatch::try_from_iter(std::iter::once(("id", ids)).chain(columns)).expect("columns");
        AttributeTable::align(Path::new("test"), &batch, "id", vocabulary).expect("aligned")
    }

    pub(crate) fn user_attributes(&self) -> AttributeTable {
        Self::table(&self.user_columns, &self.users)
    }

    pub(crate) fn item_attributes(&self) -> AttributeTable {
        Self::table(&self.item_columns, &self.items)
    }

    pub(crate) fn histories(&self) -> Histories {
        let users: Vec<_> = self.events.iter().map(|&(user, _, _)| UserIdx(user)).collect();
        let event = |&(_, item, time): &(u32, u32, i64)| Event::new(ItemIdx(item), Time::from_millis(time));
        let events: Vec<_> = self.events.iter().map(event).collect();
        Histories::group(self.users.len(), &users, &events)
    }

    pub(crate) fn try_fit(&self, spec: &FeatureSpec) -> catchment_features::Result<FittedFeatures> {
        spec.fit(&FitTables {
            users: &self.users,
            items: &self.items,
            user_attributes: &self.user_attributes(),
            item_attributes: &self.item_attributes(),
            histories: &self.histories(),
            channels: &self.channels,
        })
    }

    pub(crate) fn fit(&self) -> FittedFeatures {
        self.try_fit(&spec(RECIPE)).expect("fitted")
    }

    /// What the world has become a while later: a user and an item more, new words, and words that are gone.
    pub(crate) fn grow(&mut self) {
        self.users = Vocabulary::from_counts([("u0", 9), ("u1", 8), ("u2", 7), ("u3", 6), ("u4", 5)]);
        self.items =
            Vocabulary::from_counts([("i0", 9), ("i1", 8), ("i2", 7), ("i3", 6), ("i4", 5), ("i5", 4)]);
        self.user_columns[0].1 = Arc::new(StringArray::from(vec!["d", "d", "d", "f", "x"]));
        self.user_columns[1].1 = Arc::new(BooleanArray::from(vec![Some(true); 5]));
        let ages = [Some(30.0), Some(50.0), None, Some(1.0), Some(99.0)];
        self.user_columns[2].1 = Arc::new(Float64Array::from(ages.to_vec()));
        let tea: &[&str] = &["tea", "film"];
        self.user_columns[3].1 = lists(&[Some(tea); 5]);
        let two: &[Option<f64>] = &[Some(1.0), Some(2.0)];
        self.user_columns[4].1 = number_lists(&[Some(two); 5]);
        self.user_columns[5].1 = Arc::new(TimestampMillisecondArray::from(vec![Some(0); 5]));
        let farce: &[&str] = &["farce", "war"];
        self.item_columns[0].1 = lists(&[Some(farce); 6]);
        self.item_columns[1].1 = Arc::new(Int64Array::from(vec![7, 8, 9, 10, 11, 12]));
        self.item_columns[2].1 = Arc::new(TimestampMillisecondArray::from(vec![Some(0); 6]));
        self.events.push((4, 5, 40));
    }

    pub(crate) fn try_grow(
        &self,
        spec: &FeatureSpec,
        previous: &FittedFeatures,
    ) -> catchment_features::Result<Fit> {
        spec.grow(
            previous,
            &FitTables {
                users: &self.users,
                items: &self.items,
                user_attributes: &self.user_attributes(),
                item_attributes: &self.item_attributes(),
                histories: &self.histories(),
                channels: &self.channels,
            },
        )
    }

    /// Everything that the language can say.
    pub(crate) fn fit_whole(&self) -> FittedFeatures {
        self.try_fit(&spec(&whole_recipe())).expect("fitted")
    }

    pub(crate) fn catalogue(&self, fitted: &FittedFeatures) -> FeatureBatch {
        let mut batch = FeatureBatch::default();
        fitted
            .transform_items(&self.items, &self.item_attributes(), &mut batch)
            .expect("transformed");
        batch
    }
}

/// What is known of user `row` at `now`.
pub(crate) fn user_at<'a>(
    world: &'a World,
    attributes: &'a AttributeTable,
    histories: &'a Histories,
    row: usize,
    now: Time,
) -> UserInput<'a> {
    UserInput {
        id: world.users.id(row),
        attributes: Some((attributes, row)),
        history: histories.of(UserIdx::from_index(row)),
        everything: None,
        now,
    }
}

/// One line a row and column: the numbers as they print and as their bits, or `id×weight`.
pub(crate) fn show(fitted: &FittedFeatures, side: catchment_features::Side, batch: &FeatureBatch) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (place, shape) in fitted.shape(side).iter().enumerate() {
        let _ = writeln!(text, "{side}.{} {:?}", shape.name, shape.kind);
        for row in 0..batch.rows {
            let cells: Vec<String> = match &batch.columns[place] {
                FeatureColumn::Dense { .. } => {
                    let numbers = batch.row(row).dense(place).iter();
                    numbers
                        .map(|number| format!("{number:?}={:08x}", number.to_bits()))
                        .collect()
                }
                FeatureColumn::Bag { .. } => {
                    let (ids, weights) = batch.row(row).bag(place);
                    ids.iter()
                        .zip(weights)
                        .map(|(id, weight)| format!("{id}×{weight:?}"))
                        .collect()
                }
            };
            let _ = writeln!(text, "  [{}]", cells.join(" "));
        }
    }
    text
}
