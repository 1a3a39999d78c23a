//! The metrics of one list, at every cut-off in one pass.

use catchment_schema::ItemIdx;

use crate::config::{EvaluateConfig, MetricKind, NdcgIdeal};

/// Computes every metric at every cut-off. Built once, used for every user.
#[derive(Clone, Debug)]
pub struct ListMetrics {
    /// Cut-offs in the order of the config.
    ks: Vec<usize>,
    metrics: Vec<MetricKind>,
    names: Vec<String>,
    ideal: NdcgIdeal,
    /// `discounts[r]` = `1 / log2(r + 2)` for rank `r + 1`.
    discounts: Vec<f64>,
    /// `ideal_gains[n]` = the sum of the first n discounts.
    ideal_gains: Vec<f64>,
    /// Held-out items of a user, in the mean.
    mean_relevant: f64,
}

/// Running sums over the hits of one list.
#[derive(Clone, Copy, Default)]
struct Hits {
    count: usize,
    gain: f64,
    precisions: f64,
    first_rank: Option<usize>,
}

impl ListMetrics {
    /// For a validated config. `mean_relevant`, above 0: how many held-out items a user has in the mean, which is what
    /// [`MetricKind::PooledRecall`] divides by.
    pub fn new(config: &EvaluateConfig, mean_relevant: f64) -> Self {
        let discounts: Vec<f64> = (0..config.longest())
            .map(|r| 1.0 / (r as f64 + 2.0).log2())
            .collect();
        Self {
            ks: config.ks.clone(),
            metrics: config.metrics.clone(),
            names: config.names(),
            ideal: config.ndcg_ideal,
            ideal_gains: prefix_sums(&discounts),
            discounts,
            mean_relevant,
        }
    }

    /// By what the means over some users are to be multiplied, whose lists have `mean_relevant` items to find: metrics that
    /// pool rows divide by their own.
    pub(crate) fn scales(&self, mean_relevant: f64) -> impl Iterator<Item = f64> {
        let scale = self.mean_relevant / mean_relevant;
        let of_metric = move |metric: &MetricKind| match metric {
            MetricKind::PooledRecall => scale,
            _ => 1.0,
        };
        let n = self.ks.len();
        self.metrics
            .iter()
            .flat_map(move |metric| std::iter::repeat_n(of_metric(metric), n))
    }

    /// `recall@10`, … in the order of the values.
    pub fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// How many values a list has.
    pub fn n_values(&self) -> usize {
        self.ks.len() * self.metrics.len()
    }

    /// Adds the values of one list to `sums`.
    ///
    /// # Shapes
    /// `list`: best first, without duplicates. `reachable`: the relevant items that a list can hold, sorted, without
    /// duplicates. `n_relevant` ≥ 1: how many are relevant, the unreachable included. `sums`: `[n_values]`.
    pub fn add(&self, list: &[ItemIdx], reachable: &[ItemIdx], n_relevant: usize, sums: &mut [f64]) {
        let list = &list[..list.len().min(self.discounts.len())];
        // What was hit among the first 0, 1, 2, … of the list.
        let mut hits = Hits::default();
        let mut hits_of_first = Vec::with_capacity(list.len() + 1);
        hits_of_first.push(hits);
        for (position, item) in list.iter().enumerate() {
            if reachable.binary_search(item).is_ok() {
                hits.count += 1;
                hits.gain += self.discounts[position];
                hits.precisions += hits.count as f64 / (position + 1) as f64;
                hits.first_rank.get_or_insert(position + 1);
            }
            hits_of_first.push(hits);
        }
        let mut sums = sums.iter_mut();
        for &metric in &self.metrics {
            for (&k, sum) in self.ks.iter().zip(&mut sums) {
                *sum += self.value(metric, k, hits_of_first[k.min(list.len())], n_relevant);
            }
        }
    }

    fn value(&self, metric: MetricKind, k: usize, hits: Hits, n_relevant: usize) -> f64 {
        match metric {
            MetricKind::Recall => hits.count as f64 / n_relevant as f64,
            MetricKind::Precision => hits.count as f64 / k as f64,
            MetricKind::HitRate => f64::from(u8::from(hits.count > 0)),
            MetricKind::Mrr => hits.first_rank.map_or(0.0, |rank| 1.0 / rank as f64),
            MetricKind::Map => hits.precisions / k.min(n_relevant) as f64,
            MetricKind::Ndcg => hits.gain / self.ideal_gain(k, n_relevant),
            MetricKind::PooledRecall => hits.count as f64 / self.mean_relevant,
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
        let list: Vec<_> = list.iter().map(|&item| ItemIdx(item)).collect();
        ListMetrics::new(&config, 2.0).add(&list, &relevant, relevant.len(), &mut sums);
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
        // Hits at ranks 2 and 4: precisions 1/2 and 2/4, over min(4, 3).
        check(list, relevant, 4, MetricKind::Map, 1.0 / 3.0);
        check(list, relevant, 2, MetricKind::Map, 0.25);
        check(&[3, 5, 4], relevant, 3, MetricKind::Map, 1.0);
        // Users have two held-out items in the mean.
        check(list, relevant, 4, MetricKind::PooledRecall, 1.0);
        check(list, relevant, 2, MetricKind::PooledRecall, 0.5);
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
            ListMetrics::new(&config, 2.0).add(&[ItemIdx(1)], &relevant, 2, &mut sums);
            sums[0]
        };
        assert!((value(NdcgIdeal::MinKRelevant) - 1.0).abs() < 1e-12);
        assert!((value(NdcgIdeal::K) - 1.0).abs() < 1e-12);
        assert!((value(NdcgIdeal::Relevant) - 1.0 / (1.0 + 1.0 / 3f64.log2())).abs() < 1e-12);
    }

    #[test]
    fn an_ideal_of_more_items_than_the_longest_cut_off_still_counts_them_all() {
        let config = EvaluateConfig {
            ks: vec![2],
            metrics: vec![MetricKind::Ndcg, MetricKind::Recall],
            ndcg_ideal: NdcgIdeal::Relevant,
            ..EvaluateConfig::default()
        };
        let mut sums = [0.0; 2];
        // One of four relevant items can be reached at all.
        ListMetrics::new(&config, 2.0).add(&[ItemIdx(5), ItemIdx(1)], &[ItemIdx(1)], 4, &mut sums);
        let ideal: f64 = (2..6).map(|rank| 1.0 / f64::from(rank).log2()).sum();
        assert!((sums[0] - 1.0 / 3f64.log2() / ideal).abs() < 1e-12);
        assert!((sums[1] - 0.25).abs() < 1e-12);
    }
}
