//! The metrics of one list, at every cut-off in one pass.

use catchment_schema::ItemIdx;

use crate::config::{EvaluateConfig, MetricKind, NdcgIdeal};

/// Computes every metric at every cut-off. Built once, used for every user.
#[derive(Clone, Debug)]
pub struct ListMetrics {
    /// Cut-offs in the order of the config.
    ks: Vec<usize>,
    metrics: Vec<MetricKind>,
    ideal: NdcgIdeal,
    /// `discounts[r]` = `1 / log2(r + 2)` for rank `r + 1`.
    discounts: Vec<f64>,
    /// `ideal_gains[n]` = the sum of the first n discounts.
    ideal_gains: Vec<f64>,
}

/// Running sums over the hits of one list.
#[derive(Clone, Copy, Default)]
struct Hits {
    count: usize,
    gain: f64,
    first_rank: Option<usize>,
}

impl ListMetrics {
    /// For a validated config.
    pub fn new(config: &EvaluateConfig) -> Self {
        let discounts: Vec<f64> = (0..config.longest())
            .map(|r| 1.0 / (r as f64 + 2.0).log2())
            .collect();
        Self {
            ks: config.ks.clone(),
            metrics: config.metrics.clone(),
            ideal: config.ndcg_ideal,
            ideal_gains: prefix_sums(&discounts),
            discounts,
        }
    }

    /// `recall@10`, … in the order of the values.
    pub fn names(&self) -> Vec<String> {
        let each = |metric: &MetricKind| {
            self.ks
                .iter()
                .map(move |k| format!("{}@{k}", metric.name()))
                .collect()
        };
        self.metrics
            .iter()
            .flat_map(|metric| -> Vec<String> { each(metric) })
            .collect()
    }

    /// How many values a list has.
    pub fn n_values(&self) -> usize {
        self.ks.len() * self.metrics.len()
    }

    /// Adds the values of one list to `sums`.
    ///
    /// # Shapes
    /// `relevant`: sorted, without duplicates, not empty. `sums`: `[n_values]`.
    pub fn add(&self, list: impl Iterator<Item = ItemIdx>, relevant: &[ItemIdx], sums: &mut [f64]) {
        let longest = self.discounts.len();
        let mut at_rank = Vec::with_capacity(longest + 1);
        let mut hits = Hits::default();
        at_rank.push(hits);
        for (position, item) in list.take(longest).enumerate() {
            if relevant.binary_search(&item).is_ok() {
                hits.count += 1;
                hits.gain += self.discounts[position];
                hits.first_rank.get_or_insert(position + 1);
            }
            at_rank.push(hits);
        }
        let mut sums = sums.iter_mut();
        for &metric in &self.metrics {
            for (&k, sum) in self.ks.iter().zip(&mut sums) {
                *sum += self.value(metric, k, at_rank[k.min(at_rank.len() - 1)], relevant.len());
            }
        }
    }

    fn value(&self, metric: MetricKind, k: usize, hits: Hits, n_relevant: usize) -> f64 {
        match metric {
            MetricKind::Recall => hits.count as f64 / n_relevant as f64,
            MetricKind::Precision => hits.count as f64 / k as f64,
            MetricKind::HitRate => f64::from(u8::from(hits.count > 0)),
            MetricKind::Mrr => hits.first_rank.map_or(0.0, |rank| 1.0 / rank as f64),
            MetricKind::Ndcg => hits.gain / self.ideal_gain(k, n_relevant),
        }
    }

    fn ideal_gain(&self, k: usize, n_relevant: usize) -> f64 {
        match self.ideal {
            NdcgIdeal::MinKRelevant => self.ideal_gains[k.min(n_relevant)],
            NdcgIdeal::K => self.ideal_gains[k],
            NdcgIdeal::Relevant => match self.ideal_gains.get(n_relevant) {
                Some(&gain) => gain,
                None => (0..n_relevant).map(|r| 1.0 / (r as f64 + 2.0).log2()).sum(),
            },
        }
    }
}

fn prefix_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums.push(sums[sums.len() - 1] + value);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &[u32], relevant: &[u32], k: usize, metric: MetricKind, expect: f64) {
        let config = EvaluateConfig {
            ks: vec![k],
            metrics: vec![metric],
            ..EvaluateConfig::default()
        };
        let relevant: Vec<_> = relevant.iter().map(|&item| ItemIdx(item)).collect();
        let mut sums = [0.0];
        ListMetrics::new(&config).add(list.iter().map(|&item| ItemIdx(item)), &relevant, &mut sums);
        assert!(
            (sums[0] - expect).abs() < 1e-12,
            "{metric:?}@{k}: {} instead of {expect}",
            sums[0]
        );
    }

    #[test]
    fn values_by_hand() {
        let (list, relevant) = (&[7, 3, 9, 4], &[3, 4, 5]);
        check(list, relevant, 2, MetricKind::Recall, 1.0 / 3.0);
        check(list, relevant, 4, MetricKind::Recall, 2.0 / 3.0);
        check(list, relevant, 4, MetricKind::Precision, 0.5);
        check(list, relevant, 10, MetricKind::Precision, 0.2);
        check(list, relevant, 1, MetricKind::HitRate, 0.0);
        check(list, relevant, 2, MetricKind::HitRate, 1.0);
        check(list, relevant, 4, MetricKind::Mrr, 0.5);
        check(list, relevant, 1, MetricKind::Mrr, 0.0);
        let gain = 1.0 / 3f64.log2() + 1.0 / 5f64.log2();
        let ideal = 1.0 + 1.0 / 3f64.log2() + 0.5;
        check(list, relevant, 4, MetricKind::Ndcg, gain / ideal);
        check(&[], relevant, 4, MetricKind::Ndcg, 0.0);
    }

    #[test]
    fn the_ideal_is_a_choice() {
        let value = |ndcg_ideal| {
            let config = EvaluateConfig {
                ks: vec![1],
                metrics: vec![MetricKind::Ndcg],
                ndcg_ideal,
                ..EvaluateConfig::default()
            };
            let mut sums = [0.0];
            let relevant = [ItemIdx(1), ItemIdx(2)];
            ListMetrics::new(&config).add([ItemIdx(1)].into_iter(), &relevant, &mut sums);
            sums[0]
        };
        assert!((value(NdcgIdeal::MinKRelevant) - 1.0).abs() < 1e-12);
        assert!((value(NdcgIdeal::K) - 1.0).abs() < 1e-12);
        assert!((value(NdcgIdeal::Relevant) - 1.0 / (1.0 + 1.0 / 3f64.log2())).abs() < 1e-12);
    }
}
