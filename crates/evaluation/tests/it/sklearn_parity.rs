//! Equal to scikit-learn; `tests/sklearn_parity.py` made the fixtures.

use catchment_evaluation::{auc, logloss};

#[test]
fn auc_and_logloss_equal_scikit_learn() {
    let mut labels = Vec::new();
    let mut probabilities = Vec::new();
    for line in include_str!("../sklearn/rows.csv").lines() {
        let (label, probability) = line.split_once(',').expect("label and probability");
        labels.push(label.parse::<f32>().expect("a number"));
        probabilities.push(probability.parse::<f32>().expect("a number"));
    }
    let ours = [
        auc(&labels, &probabilities).expect("both classes"),
        logloss(&labels, &probabilities).expect("probabilities"),
    ];
    for (line, ours) in include_str!("../sklearn/values.csv").lines().zip(ours) {
        let (name, theirs) = line.split_once(',').expect("name and value");
        let theirs: f64 = theirs.parse().expect("a number");
        assert!(
            (ours - theirs).abs() < 1e-6,
            "{name}: ours {ours}, scikit-learn {theirs}"
        );
    }
}
