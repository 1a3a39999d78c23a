//! Work that is done is not done again; work that is not is not taken for it.

use std::fs;

use catchment_prepare::{Inputs, PrepareConfig, SplitConfig, SplitKind, already_prepared, prepare};
use catchment_schema::import::{Format, Source};

const LOG: &str = "user_id,item_id,timestamp\nann,tea,1\nann,cup,2\nbob,tea,3\nann,pot,4\nbob,pot,5\n";

#[test]
fn finished_work_is_known_by_its_inputs_its_settings_and_its_own_bytes() {
    let home = tempfile::tempdir().expect("temporary folder");
    let log = home.path().join("log.csv");
    fs::write(&log, LOG).expect("written");
    let inputs = Inputs::new(Source::new(log.to_string_lossy(), Format::Csv));
    let (config, split) = (
        PrepareConfig::default(),
        SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None }),
    );
    let out = home.path().join("out");
    let known = |inputs: &Inputs, config: &PrepareConfig, split: &SplitConfig, seed| {
        already_prepared(inputs, config, split, seed, &out).expect("readable")
    };
    assert_eq!(known(&inputs, &config, &split, 7), None, "nothing is there");
    let summary = prepare(&inputs, &config, &split, 7, 1, &out, &mut |_| {}).expect("prepared");
    assert_eq!(known(&inputs, &config, &split, 7), Some(summary));

    assert_eq!(known(&inputs, &config, &split, 8), None, "another seed");
    let other = PrepareConfig {
        min_item_events: 2,
        ..config.clone()
    };
    assert_eq!(known(&inputs, &other, &split, 7), None, "other settings");
    let other = SplitConfig::new(SplitKind::LeaveLast { n: 2, since: None });
    assert_eq!(known(&inputs, &config, &other, 7), None, "another split");

    fs::write(&log, LOG.replace("bob,pot,5", "bob,pot,6")).expect("written");
    assert_eq!(known(&inputs, &config, &split, 7), None, "the log has changed");
    fs::write(&log, LOG).expect("written");
    assert!(
        known(&inputs, &config, &split, 7).is_some(),
        "only content counts"
    );

    let part = out.join("test.parquet");
    let whole = fs::read(&part).expect("read");
    fs::write(&part, &whole[..whole.len() - 1]).expect("written");
    assert_eq!(known(&inputs, &config, &split, 7), None, "a file was cut off");
    fs::remove_file(&part).expect("removed");
    assert_eq!(known(&inputs, &config, &split, 7), None, "a file is gone");
    fs::write(&part, &whole).expect("written");
    fs::remove_file(out.join("prepared.json")).expect("removed");
    assert_eq!(known(&inputs, &config, &split, 7), None, "the summary comes last");
}
