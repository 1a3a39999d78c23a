use std::path::{Path, PathBuf};
use std::process::Command;

use catchment_evaluation::calibration::calibration;
use catchment_evaluation::metric_report::{ListCalibration, NamedInterval, SegmentMetrics, SegmentReport};
use catchment_evaluation::report::{
    Comparison, DataFacts, ListReport, MapPoint, RunReport, TrainingCurve, VectorMap,
};
use catchment_evaluation::{Attribution, Interval, MetricReport, MetricTable, PairedDifference, gauc};
use catchment_schema::{Finding, Severity};

const EVIL: &str = "<script>document.body.textContent='taken over'</script>\"'&";

fn table(values: &[(&str, f64)]) -> MetricTable {
    values
        .iter()
        .map(|&(name, value)| (name.to_owned(), value))
        .collect()
}

fn list(name: &str, shift: f64) -> ListReport {
    let metrics = [
        ("recall@10", 0.17 + shift),
        ("recall@50", 0.42 + shift),
        ("ndcg@10", 0.09 + shift),
        ("ndcg@50", 0.14 + shift),
    ];
    let intervals = metrics.map(|(metric, value)| NamedInterval {
        metric: metric.to_owned(),
        interval: Interval {
            low: value - 0.01,
            high: value + 0.012,
        },
    });
    let segments = ["1–4 items", EVIL].map(|label| SegmentMetrics {
        label: label.to_owned(),
        users: 40,
        pairs: 60,
        metrics: table(&metrics),
        standard_errors: table(&[("recall@10", 0.01)]),
    });
    ListReport {
        list: name.to_owned(),
        report: MetricReport {
            protocol: format!("split {EVIL}"),
            users: 100,
            cold_users: 2,
            pairs: 130,
            cold_pairs: 3,
            items: 900,
            short_lists: 0,
            metrics: table(&metrics),
            catalogue: table(&[("coverage@10", 0.4), ("gini@10", 0.8)]),
            intervals: intervals.into(),
            segments: vec![SegmentReport {
                by: format!("user.{EVIL}"),
                segments: segments.into(),
            }],
            calibration: None,
        },
        compared: Vec::new(),
        notes: vec![EVIL.to_owned()],
    }
}

fn report() -> RunReport {
    let mut ranked = list("ranked", 0.01);
    ranked.compared.push(Comparison {
        against: EVIL.to_owned(),
        metrics: vec![PairedDifference {
            metric: "recall@10".to_owned(),
            difference: 0.01,
            interval: Some(Interval {
                low: 0.002,
                high: 0.018,
            }),
            p_value: 0.0123,
            better: 30,
            worse: 12,
        }],
        common: None,
    });
    let (labels, scores) = ([1.0, 0.0, 0.0, 1.0], [0.9, 0.2, 0.1, 0.4]);
    let found = calibration(&labels, &scores, 4).expect("probabilities");
    ranked.report.calibration = Some(ListCalibration {
        rows: 4,
        ece: found.ece,
        bins: found.bins,
        gauc: gauc(&[1, 1, 2, 2], &labels, &scores).ok(),
    });
    RunReport {
        name: EVIL.to_owned(),
        headline: "ranked".to_owned(),
        lists: vec![list(EVIL, 0.0), list("ials", -0.02), ranked],
        attribution: Some(Attribution {
            k: 50,
            channels: vec![EVIL.to_owned(), "ials".to_owned()],
            overlap: vec![vec![1.0, 0.25], vec![0.25, 1.0]],
            hits: vec![20, 0],
            unique_hits: vec![5, 0],
            recall_alone: vec![0.2, 0.0],
            recall_union: 0.3,
            recall_without: vec![0.1, 0.3],
        }),
        vectors: vec![VectorMap {
            channel: EVIL.to_owned(),
            singular_values: vec![0.8, 0.6],
            effective_rank: 1.9,
            points: vec![
                MapPoint {
                    place: [0.5, -0.25],
                    label: EVIL.to_owned(),
                    group: Some(0),
                },
                MapPoint {
                    place: [-1.0, 1.0],
                    label: "other".to_owned(),
                    group: None,
                },
            ],
            n_items: 40,
            groups: vec![EVIL.to_owned()],
        }],
        trainings: vec![TrainingCurve {
            channel: EVIL.to_owned(),
            losses: vec![4.5, 3.25],
            gradients: vec![0.5, 0.125],
            examples: 1000,
            temperature: 0.07,
            by_shard: true,
            frequencies: vec![[0.5, 0.4], [0.01, 0.02], [0.0, 0.1], [1.0, f64::INFINITY]],
        }],
        facts: DataFacts {
            numbers: vec![
                ("users".to_owned(), "100".to_owned()),
                (EVIL.to_owned(), EVIL.to_owned()),
            ],
            long_tail: (0..=20).map(|step| f64::from(step) / 20.0).collect(),
        },
        findings: vec![Finding {
            severity: Severity::Warning,
            code: "leak".to_owned(),
            message: EVIL.to_owned(),
            examples: vec![EVIL.to_owned()],
            remedy: EVIL.to_owned(),
        }],
        recipe: format!("name = \"{EVIL}\""),
        versions: vec![("catchment".to_owned(), EVIL.to_owned())],
    }
}

#[test]
fn no_text_of_the_data_becomes_markup() {
    let page = report().to_html();
    assert!(!page.contains("<script"), "a script got through");
    // In each place where a text of the data stands.
    assert!(page.matches("&lt;script&gt;").count() > 15);
    // Nothing is loaded from anywhere, and nothing runs.
    for word in [
        "http://",
        "https://",
        "src=",
        "url(",
        "@import",
        "javascript:",
        " onload=",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn every_tag_is_closed_and_ids_are_there_once() {
    let page = report().to_html();
    let mut open: Vec<&str> = Vec::new();
    for piece in page.split('<').skip(1) {
        let tag = piece.split('>').next().expect("a tag");
        let name = tag.split([' ', '\n']).next().expect("a name");
        if name.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "at {tag}"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
    for reference in page.split("aria-labelledby=\"").skip(1) {
        let reference = reference.split('"').next().expect("ids");
        assert!(
            reference.split(' ').all(|id| ids.binary_search(&id).is_ok()),
            "{reference}"
        );
    }
    let unscoped = page
        .split("<th")
        .skip(1)
        .filter(|rest| !rest.starts_with("ead") && !rest.starts_with(" scope="));
    assert_eq!(unscoped.count(), 0, "every header cell says what it heads");
    assert_eq!(
        page.matches("<svg").count() - page.matches("aria-hidden").count(),
        page.matches("<desc").count()
    );
}

#[test]
fn a_training_shows_its_loss_and_its_gradient_by_epoch() {
    let page = report().to_html();
    assert!(page.contains("1000 examples; temperature 0.0700 at the end."));
    let loss = page.split("id=\"loss0t\"").nth(1).expect("a curve");
    let loss = loss.split("</svg>").next().expect("its end");
    assert!(loss.contains("4.5000 in the first, 3.2500 in the last"), "{loss}");
    assert_eq!(loss.matches("class=\"curve\"").count(), 1);
    assert!(page.contains("id=\"gradient0t\""));
    assert!(page.contains("Loss, by shard"));
    // √(1.25 · 2): what is 0 or infinite has no place on logarithmic axes.
    assert!(page.contains("2 items; apart by a factor of 1.58 on average"));
    let mut without = report();
    without.trainings.clear();
    assert!(!without.to_html().contains("How towers were trained"));
}

#[test]
fn a_map_has_every_point_and_says_how_many_directions_are_used() {
    let page = report().to_html();
    let map = page.split("id=\"map0t\"").nth(1).expect("a map");
    let map = map.split("</svg>").next().expect("its end");
    assert_eq!(map.matches("<circle").count(), 2);
    // The farthest point is at the edge; up is up.
    assert!(
        map.contains("cx=\"8.0\" cy=\"8.0\"") && map.contains("cx=\"266.0\" cy=\"223.0\""),
        "{map}"
    );
    assert!(page.contains("1.9 of 2 directions are used"));
    let mut without = report();
    without.vectors.clear();
    assert!(!without.to_html().contains("The vectors of items"));
}

#[test]
fn the_verdict_says_whether_the_best_channel_is_beaten() {
    let mut run = report();
    let verdict = run.verdict();
    assert!(
        verdict.starts_with("“ranked” reaches recall@10 0.1800 (0.1700 to 0.1920"),
        "{verdict}"
    );
    assert!(
        verdict.contains("It beats the best channel") && verdict.contains("p = 0.012"),
        "{verdict}"
    );
    let found = &mut run.lists[2].compared[0].metrics[0];
    (found.difference, found.p_value) = (-0.01, 0.4);
    let verdict = run.verdict();
    assert!(verdict.contains("0.0100 less, which may be chance"), "{verdict}");
    run.lists[2].compared[0].metrics[0].p_value = 0.0001;
    let verdict = run.verdict();
    assert!(
        verdict.contains("is beaten by the best channel") && verdict.contains("p < 0.001"),
        "{verdict}"
    );
    run.lists[2].compared.clear();
    assert!(
        run.verdict().ends_with("users of the kind)."),
        "{}",
        run.verdict()
    );
    assert_eq!(RunReport::default().verdict(), "Nothing was measured.");
    assert!(RunReport::default().to_html().ends_with("</html>\n"));
}

#[test]
fn a_report_comes_back_from_json_as_it_was() {
    let run = report();
    let json = serde_json::to_string(&run).expect("json");
    let back: RunReport = serde_json::from_str(&json).expect("a report");
    assert_eq!(back.to_html(), run.to_html());
}

/// How light a colour is (WCAG 2.2, relative luminance).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("hexadecimal");
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn words_and_curves_stand_out_from_the_ground_in_light_in_dark_and_on_paper() {
    let page = report().to_html();
    let mut n_themes = 0;
    for theme in page.split(":root {").skip(1) {
        let theme = theme.split('}').next().expect("a block");
        let colours: Vec<(&str, &str)> = theme
            .split(';')
            .filter_map(|entry| entry.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        let of = |wanted: &str| colours.iter().find(|(name, _)| *name == wanted).expect(wanted).1;
        for ground in ["--ground", "--raised"] {
            for (name, colour) in &colours {
                if ["--ground", "--raised", "--line"].contains(name) {
                    continue;
                }
                let (a, b) = (luminance(colour), luminance(of(ground)));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{name} on {ground}: {contrast:.2}");
            }
        }
        n_themes += 1;
    }
    assert_eq!(n_themes, 3);
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

fn run(program: &Path, arguments: &[String]) -> Vec<u8> {
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(arguments)
        .output()
        .expect("chromium runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn a_browser_shows_it_and_runs_nothing() {
    let Some(chromium) = chromium() else {
        eprintln!("skipped: a_browser_shows_it_and_runs_nothing needs chromium");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.html");
    std::fs::write(&path, report().to_html()).expect("written");
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let page = format!("file://{}", path.display());
    let shown = run(
        &chromium,
        &[profile.clone(), "--dump-dom".to_owned(), page.clone()],
    );
    let shown = String::from_utf8(shown).expect("text");
    assert!(
        shown.contains("<h2>How good</h2>") && shown.contains("<h2>Versions</h2>"),
        "{shown}"
    );
    assert!(!shown.contains("<script"));
    let pdf = folder.path().join("report.pdf");
    run(
        &chromium,
        &[profile, format!("--print-to-pdf={}", pdf.display()), page],
    );
    assert!(std::fs::metadata(&pdf).is_ok_and(|file| file.len() > 10_000));
}
