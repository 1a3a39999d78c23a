//! A vector for an item that nobody has looked at: the mean of its nearest neighbours of the same type.
//!
//! "Nearest" is by great circle, on a sphere: places lie as points on the unit sphere in an R*-tree for each type, where
//! the nearer chord is the nearer arc, at the poles and across the date line as well. What the tree finds is measured
//! again by the haversine formula, which decides.

use std::collections::BTreeMap;

use catchment_features::{TypeOf, TypeRules};
use catchment_schema::{AttributeTable, ItemIdx};
use rayon::prelude::*;
use rstar::primitives::GeomWithData;
use rstar::{PointDistance, RTree};
use serde::{Deserialize, Serialize};

use super::markets::required;
use crate::sgns::SgnsModel;
use crate::{Error, Result};

/// A recipe's `cold`: where items without sessions get their vectors from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeoColdConfig {
    /// Of so many neighbours the mean is taken; of fewer where there are fewer. From 1 to 1000.
    pub k: usize,
    /// Neighbours are no further away, in kilometres. The paper's 10 miles by default.
    pub radius_km: f64,
    /// What neighbours have in common with the item: the type of room and the bucket of the price, say. Empty: nothing.
    pub same: TypeRules,
    /// The column of the latitude, in degrees.
    pub latitude: String,
    /// The column of the longitude, in degrees.
    pub longitude: String,
}

impl Default for GeoColdConfig {
    fn default() -> Self {
        Self {
            k: 3,
            radius_km: 16.093_44,
            same: TypeRules::default(),
            latitude: "latitude".to_owned(),
            longitude: "longitude".to_owned(),
        }
    }
}

impl GeoColdConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Config`]; [`Error::Features`] for rules that are none.
    pub fn validate(&self) -> Result<()> {
        if self.k == 0 || self.k > 1000 {
            return Err(Error::Config {
                key: "k",
                value: self.k.to_string(),
                allowed: "1 to 1000",
            });
        }
        if !(self.radius_km.is_finite() && self.radius_km > 0.0) {
            return Err(Error::Config {
                key: "radius_km",
                value: self.radius_km.to_string(),
                allowed: "a finite number above 0",
            });
        }
        self.same.validate("cold.same", TypeOf::Item)?;
        Ok(())
    }

    /// What the items have to say about this: the names of all columns that are read.
    fn check_columns(&self, items: &AttributeTable) -> Result<()> {
        required("cold.latitude", &self.latitude, items)?;
        required("cold.longitude", &self.longitude, items)?;
        self.same.check_columns("cold.same", items, "items", items)?;
        Ok(())
    }
}

/// What became of the items without a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeoColdReport {
    /// Items in no session.
    pub cold: usize,
    /// Those that have a vector now.
    pub filled: usize,
    /// Those without a place: a coordinate is missing or is none.
    pub without_place: usize,
}

/// Mean radius of the earth, in kilometres.
const EARTH_KM: f64 = 6371.0088;

/// What rounding makes of a chord of the unit sphere, at most: some nanometres on the ground.
const ROUNDING: f64 = 4e-15;

/// A place on the earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// In degrees, −90 to 90.
    pub latitude: f64,
    /// In degrees, from −180 to below 180; one beyond goes round.
    pub longitude: f64,
}

impl Place {
    /// A place, unless a coordinate is missing, not finite, or a latitude beyond a pole. What is the same place is equal:
    /// there is one longitude at a pole, and one on the date line.
    pub fn new(latitude: Option<f64>, longitude: Option<f64>) -> Option<Self> {
        let (latitude, longitude) = (latitude?, longitude?);
        let is_place = latitude.abs() <= 90.0 && longitude.abs() <= 360.0;
        let longitude = match longitude {
            _ if latitude.abs() >= 90.0 => 0.0,
            beyond if beyond >= 180.0 => beyond - 360.0,
            beyond if beyond < -180.0 => beyond + 360.0,
            within => within,
        };
        is_place.then_some(Self { latitude, longitude })
    }

    /// Equal for what is equal.
    fn bits(self) -> [u64; 2] {
        // Adding 0 makes −0 to 0.
        [self.latitude + 0.0, self.longitude + 0.0].map(f64::to_bits)
    }

    /// The great-circle distance in kilometres, by the haversine formula.
    pub fn km_to(self, other: Self) -> f64 {
        let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
        let (here, there) = (self.latitude.to_radians(), other.latitude.to_radians());
        let haversine = half(self.latitude, other.latitude)
            + here.cos() * there.cos() * half(self.longitude, other.longitude);
        2.0 * EARTH_KM * haversine.min(1.0).sqrt().asin()
    }

    /// On the unit sphere.
    fn point(self) -> [f64; 3] {
        let (latitude, longitude) = (self.latitude.to_radians(), self.longitude.to_radians());
        [
            latitude.cos() * longitude.cos(),
            latitude.cos() * longitude.sin(),
            latitude.sin(),
        ]
    }
}

/// Items with a place, by type. Those of one type at the very same place are one point: however many they are, `k` of
/// them are looked at.
#[derive(Debug)]
pub struct Places {
    of_item: Vec<Option<Place>>,
    types: Vec<u32>,
    /// By type; a point knows its number.
    trees: Vec<RTree<GeomWithData<[f64; 3], u32>>>,
    /// The items that can be found, point by point, ascending within each.
    items: Vec<ItemIdx>,
    /// Where each point's items begin, and the end.
    begins: Vec<usize>,
}

impl Places {
    /// Of all items; only those that `is_neighbour` can be found.
    ///
    /// # Errors
    /// [`Error::MissingColumn`]; [`Error::Features`] where a rule's column is not there.
    pub fn new(
        items: &AttributeTable,
        config: &GeoColdConfig,
        is_neighbour: impl Fn(ItemIdx) -> bool,
    ) -> Result<Self> {
        config.check_columns(items)?;
        let rows = 0..items.n_rows();
        let place = |row| {
            Place::new(
                items.number(&config.latitude, row),
                items.number(&config.longitude, row),
            )
        };
        let places: Vec<Option<Place>> = rows.clone().map(place).collect();
        let mut numbers = BTreeMap::new();
        let number = |row| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(config.same.of_row(items, row)).or_insert(next)
        };
        let types: Vec<u32> = rows.map(number).collect();
        let known = (0..).map(ItemIdx).zip(places.iter().zip(&types));
        let known = known.filter_map(|(item, (place, kind))| place.map(|place| (*kind, place, item)));
        let mut known: Vec<_> = known.filter(|(_, _, item)| is_neighbour(*item)).collect();
        known.sort_unstable_by_key(|(kind, place, item)| (*kind, place.bits(), *item));
        let mut points = vec![Vec::new(); numbers.len()];
        let mut begins = vec![0];
        let at_once =
            known.chunk_by(|(kind, place, _), next| (*kind, place.bits()) == (next.0, next.1.bits()));
        for (number, same) in (0..).zip(at_once) {
            let (kind, place, _) = same[0];
            points[kind as usize].push(GeomWithData::new(place.point(), number));
            begins.push(begins.last().copied().unwrap_or(0) + same.len());
        }
        Ok(Self {
            of_item: places,
            types,
            trees: points.into_par_iter().map(RTree::bulk_load).collect(),
            items: known.into_iter().map(|(_, _, item)| item).collect(),
            begins,
        })
    }

    /// Whether it is known where the item is.
    pub fn is_known(&self, item: ItemIdx) -> bool {
        matches!(self.of_item.get(item.index()), Some(Some(_)))
    }

    /// The `k` nearest other items of the same type within the radius, nearest first, ties by item, with their distances
    /// in kilometres.
    pub fn nearest(&self, item: ItemIdx, k: usize, radius_km: f64) -> Vec<(ItemIdx, f64)> {
        let Some(Some(place)) = self.of_item.get(item.index()) else {
            return Vec::new();
        };
        let point = place.point();
        let tree = &self.trees[self.types[item.index()] as usize];
        let mut found: Vec<(ItemIdx, f64)> = Vec::new();
        // Chords come in rising order. Those as long as the last one that counts, but for rounding, are looked at too.
        let mut enough = f64::INFINITY;
        for neighbour in tree.nearest_neighbor_iter(point) {
            let chord = neighbour.geom().distance_2(&point).sqrt();
            if chord > enough {
                break;
            }
            let number = neighbour.data as usize;
            let here = &self.items[self.begins[number]..self.begins[number + 1]];
            let there = here.first().and_then(|other| self.of_item[other.index()]);
            let km = there.map_or(f64::INFINITY, |there| place.km_to(there));
            if km > radius_km * (1.0 + 1e-9) {
                break;
            }
            if km <= radius_km {
                // All are equally far, and so the first ones count.
                let others = here.iter().filter(|&&other| other != item);
                found.extend(others.take(k).map(|&other| (other, km)));
            }
            if found.len() >= k && enough.is_infinite() {
                enough = chord * (1.0 + 1e-9) + ROUNDING;
            }
        }
        found.sort_by(|(item, km), (other, km_other)| km.total_cmp(km_other).then(item.cmp(other)));
        found.truncate(k);
        found
    }
}

/// Gives every item of the model that has a zero vector the mean of its neighbours' vectors, input and output alike.
///
/// # Errors
/// As [`Places::new`]; [`Error::WrongLength`] when the items are not the model's.
pub fn fill(model: &mut SgnsModel, items: &AttributeTable, config: &GeoColdConfig) -> Result<GeoColdReport> {
    config.validate()?;
    let n_items = model.n_items();
    if items.n_rows() != n_items {
        return Err(Error::WrongLength {
            what: "items",
            expected: n_items,
            found: items.n_rows(),
        });
    }
    let is_cold: Vec<bool> = (0..n_items)
        .map(|item| model.item(ItemIdx::from_index(item)).iter().all(|&x| x == 0.0))
        .collect();
    let places = Places::new(items, config, |item| !is_cold[item.index()])?;
    let cold: Vec<ItemIdx> = (0..n_items)
        .filter(|&item| is_cold[item])
        .map(ItemIdx::from_index)
        .collect();
    let neighbours: Vec<Vec<(ItemIdx, f64)>> = cold
        .par_iter()
        .map(|&item| places.nearest(item, config.k, config.radius_km))
        .collect();
    let mut report = GeoColdReport {
        cold: cold.len(),
        without_place: cold.iter().filter(|&&item| !places.is_known(item)).count(),
        filled: 0,
    };
    for (item, neighbours) in cold.iter().zip(&neighbours).filter(|(_, near)| !near.is_empty()) {
        report.filled += 1;
        for table in [&mut model.input, &mut model.output] {
            let mean: Vec<f32> = (0..model.dim)
                .map(|at| {
                    let sum: f32 = neighbours
                        .iter()
                        .map(|(near, _)| table[near.index() * model.dim + at])
                        .sum();
                    sum / neighbours.len() as f32
                })
                .collect();
            table[item.index() * model.dim..][..model.dim].copy_from_slice(&mean);
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use catchment_features::TypeRule;
    use catchment_schema::Vocabulary;
    use catchment_schema::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    use proptest::prelude::*;

    use super::*;
    use crate::sgns::SgnsReport;

    type Row = (Option<f64>, Option<f64>, &'static str);

    fn table(rows: &[Row]) -> AttributeTable {
        let names: Vec<String> = (0..rows.len()).map(|row| format!("i{row:04}")).collect();
        let ids: ArrayRef = Arc::new(StringArray::from(names.clone()));
        let latitudes: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>());
        let longitudes: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>());
        let rooms: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2)));
        let columns = [
            ("item_id", ids),
            ("latitude", latitudes),
            ("longitude", longitudes),
            ("room", rooms),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("a table");
        let vocabulary = Vocabulary::from_counts(names.iter().map(|name| (name, 1)));
        AttributeTable::align(Path::new("items"), &batch, "item_id", &vocabulary).expect("lines up")
    }

    fn by_room() -> GeoColdConfig {
        GeoColdConfig {
            same: TypeRules(vec![TypeRule {
                column: Some("room".to_owned()),
                ..TypeRule::default()
            }]),
            ..GeoColdConfig::default()
        }
    }

    proptest! {
        /// All over the earth, at the poles and the date line, the tree finds what a sort finds.
        #[test]
        fn the_nearest_are_those_that_a_sort_finds(
            rows in prop::collection::vec((
                prop_oneof![-90.0..=90.0_f64, Just(90.0), Just(-90.0), Just(0.0), Just(-0.0), 40.6..40.9_f64],
                prop_oneof![-180.0..=180.0_f64, Just(180.0), Just(-180.0), Just(0.0), Just(360.0), -74.1..-73.9_f64],
                prop_oneof![Just("a"), Just("b")],
            ), 1..60),
            k in 1..6_usize,
            radius in prop_oneof![Just(16.0), Just(500.0), Just(30_000.0)],
        ) {
            let rows: Vec<Row> = rows.into_iter().map(|(latitude, longitude, room)| (Some(latitude), Some(longitude), room)).collect();
            let config = GeoColdConfig { radius_km: radius, ..by_room() };
            let places = Places::new(&table(&rows), &config, |item| item.0 % 3 != 0).expect("columns");
            let place = |row: &Row| Place::new(row.0, row.1).expect("a place");
            for (item, row) in rows.iter().enumerate() {
                let mut expected: Vec<(ItemIdx, f64)> = rows.iter().enumerate()
                    .filter(|(other, there)| *other != item && other % 3 != 0 && there.2 == row.2)
                    .map(|(other, there)| (ItemIdx::from_index(other), place(row).km_to(place(there))))
                    .filter(|(_, km)| *km <= radius)
                    .collect();
                expected.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
                expected.truncate(k);
                // The same items, of equally far ones the first.
                prop_assert_eq!(places.nearest(ItemIdx::from_index(item), k, radius), expected);
            }
        }
    }

    #[test]
    fn however_many_are_at_one_place_only_so_many_are_looked_at() {
        let rows: Vec<Row> = (0..3000).map(|_| (Some(40.7), Some(-74.0), "a")).collect();
        let places = Places::new(&table(&rows), &by_room(), |_| true).expect("columns");
        assert_eq!(places.trees.iter().map(RTree::size).sum::<usize>(), 1);
        let near = |item| places.nearest(ItemIdx(item), 3, 1.0);
        assert_eq!(near(7), [0, 1, 2].map(|item| (ItemIdx(item), 0.0)));
        assert_eq!(near(1), [0, 2, 3].map(|item| (ItemIdx(item), 0.0)));
    }

    #[test]
    fn a_place_has_one_name() {
        let place = |latitude, longitude| Place::new(Some(latitude), Some(longitude)).map(Place::bits);
        for (one, other) in [
            ((90.0, 12.0), (90.0, -170.0)),
            ((-90.0, 0.0), (-90.0, 360.0)),
            ((10.0, 180.0), (10.0, -180.0)),
            ((10.0, 190.0), (10.0, -170.0)),
            ((0.0, -0.0), (-0.0, 360.0)),
        ] {
            assert_eq!(place(one.0, one.1), place(other.0, other.1));
        }
        assert_ne!(place(10.0, 20.0), place(10.0, -20.0));
    }

    #[test]
    fn distances_are_those_of_the_earth() {
        let km = |a: [f64; 2], b: [f64; 2]| {
            let place = |p: [f64; 2]| Place::new(Some(p[0]), Some(p[1])).expect("a place");
            place(a).km_to(place(b))
        };
        // A degree along a meridian, half way round, across the date line, and Paris to New York.
        assert!((km([10.0, 5.0], [11.0, 5.0]) - 111.195).abs() < 0.01);
        assert!((km([0.0, 0.0], [0.0, 180.0]) - 20_015.1).abs() < 0.1);
        assert!((km([0.0, 179.5], [0.0, -179.5]) - 111.195).abs() < 0.01);
        assert!((km([48.8566, 2.3522], [40.7128, -74.0060]) - 5837.0).abs() < 2.0);
    }

    #[test]
    fn a_cold_item_gets_the_mean_of_the_nearest_of_its_type_within_the_radius() {
        let at = |north: f64, room| (Some(40.7 + north / 111.195), Some(-74.0), room);
        let items = table(&[
            at(0.0, "a"),
            at(1.0, "b"),
            at(2.0, "a"),
            at(3.0, "a"),
            at(4.0, "a"),
            at(60.0, "a"),
            (None, Some(-74.0), "a"),
            (Some(f64::NAN), Some(-74.0), "a"),
            at(5.0, "c"),
            at(70.0, "a"),
        ]);
        let mut input = vec![0.0; 20];
        for (item, vector) in [
            (1, [9.0, 9.0]),
            (2, [1.0, 0.0]),
            (3, [0.0, 1.0]),
            (4, [0.0, 4.0]),
            (5, [7.0, 7.0]),
        ] {
            input[item * 2..][..2].copy_from_slice(&vector);
        }
        let mut model = SgnsModel {
            dim: 2,
            output: input.clone(),
            input,
            report: SgnsReport::default(),
        };
        let config = GeoColdConfig { k: 2, ..by_room() };
        let report = fill(&mut model, &items, &config).expect("columns");
        assert_eq!(model.item(ItemIdx(0)), [0.5, 0.5]);
        assert_eq!(&model.output[..2], [0.5, 0.5]);
        assert_eq!(model.item(ItemIdx(9)), [7.0, 7.0], "only one is near enough");
        for nowhere in [6, 7, 8] {
            assert_eq!(model.item(ItemIdx(nowhere)), [0.0, 0.0]);
        }
        assert_eq!(
            report,
            GeoColdReport {
                cold: 5,
                filled: 2,
                without_place: 2
            }
        );
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_named() {
        let items = table(&[(Some(1.0), Some(1.0), "a")]);
        let failed = |config: &GeoColdConfig| {
            let places = Places::new(&items, config, |_| true);
            config
                .validate()
                .and(places.map(|_| ()))
                .expect_err("refused")
                .to_string()
        };
        let some = GeoColdConfig::default;
        assert!(failed(&GeoColdConfig { k: 0, ..some() }).contains("`k`"));
        for radius_km in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(failed(&GeoColdConfig { radius_km, ..some() }).contains("`radius_km`"));
        }
        let lat = GeoColdConfig {
            latitude: "lat".to_owned(),
            ..some()
        };
        assert!(failed(&lat).contains("`cold.latitude` names the column `lat`"));
        let by_beds = GeoColdConfig {
            same: TypeRules(vec![TypeRule {
                column: Some("beds".to_owned()),
                ..TypeRule::default()
            }]),
            ..some()
        };
        assert!(failed(&by_beds).contains("cold.same[0].column"));
    }
}
