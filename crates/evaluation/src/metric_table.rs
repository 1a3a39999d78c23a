//! Named values in the order in which they were asked for.

use std::fmt;
use std::ops::Index;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values by name (`recall@20`), in the order of the config: metric by metric, each at every cut-off. A map would
/// put `recall@100` before `recall@20`.
///
/// In JSON it is an object, read and written in this order. (A `serde_json::Value` on the way sorts its keys.)
///
/// ```
/// use catchment_evaluation::MetricTable;
///
/// let table = MetricTable::from_iter([("recall@20".to_owned(), 0.2), ("recall@100".to_owned(), 0.5)]);
/// assert_eq!(table.get("recall@100"), Some(0.5));
/// assert_eq!(table.keys().collect::<Vec<_>>(), ["recall@20", "recall@100"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricTable(Vec<(String, f64)>);

impl MetricTable {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find(|&(key, _)| key == name).map(|(_, value)| value)
    }

    /// Names with their values.
    pub fn iter(&self) -> Iter<'_> {
        self.into_iter()
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.iter().map(|(_, value)| value)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names with their values, in order.
pub type Iter<'a> =
    std::iter::Map<std::slice::Iter<'a, (String, f64)>, fn(&'a (String, f64)) -> (&'a str, f64)>;

impl<'a> IntoIterator for &'a MetricTable {
    type Item = (&'a str, f64);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.0.iter().map(|(name, value)| (name, *value))
    }
}

impl IntoIterator for MetricTable {
    type Item = (String, f64);
    type IntoIter = std::vec::IntoIter<(String, f64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, f64)> for MetricTable {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// # Panics
/// When there is no value of this name, as in a map.
impl Index<&str> for MetricTable {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        match self.0.iter().find(|(key, _)| key == name) {
            Some((_, value)) => value,
            None => panic!("no metric is called {name}"),
        }
    }
}

impl Serialize for MetricTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for MetricTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = MetricTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of numbers by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MetricTable, A::Error> {
        let mut table = MetricTable::default();
        while let Some((name, value)) = map.next_entry::<String, f64>()? {
            if table.get(&name).is_some() {
                return Err(A::Error::custom(format_args!("{name} is there twice")));
            }
            table.0.push((name, value));
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_an_object_in_this_order() {
        let json = r#"{"recall@20":0.25,"recall@100":0.5,"ndcg@20":0.125}"#;
        let table: MetricTable = serde_json::from_str(json).expect("a table");
        assert_eq!(
            table.keys().collect::<Vec<_>>(),
            ["recall@20", "recall@100", "ndcg@20"]
        );
        assert_eq!(serde_json::to_string(&table).expect("json"), json);
    }

    #[test]
    fn a_flattened_report_keeps_the_order() {
        #[derive(Serialize, Deserialize)]
        struct Inner {
            metrics: MetricTable,
        }
        #[derive(Serialize, Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        let json = r#"{"metrics":{"b":1.0,"a":2.0}}"#;
        let outer: Outer = serde_json::from_str(json).expect("an object");
        assert_eq!(serde_json::to_string(&outer).expect("json"), json);
    }

    #[test]
    fn values_are_found_by_name_and_no_name_comes_twice() {
        let table: MetricTable = serde_json::from_str(r#"{"a":1.0}"#).expect("a table");
        assert_eq!(
            (table.get("a"), table.get("b"), table.len()),
            (Some(1.0), None, 1)
        );
        let twice = serde_json::from_str::<MetricTable>(r#"{"a":1.0,"a":2.0}"#);
        assert!(twice.is_err_and(|error| error.to_string().contains("a is there twice")));
    }
}
