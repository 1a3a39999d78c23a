//! Judges user vectors × item vectors over the whole catalogue, once for each line on standard input: what a comparison
//! with another program runs.
//!
//! `cargo run -p catchment-evaluation --example versus_evaluation -- FOLDER` reads `users.npy` and `items.npy` (float32,
//! `[n, dim]`), `train_indptr.npy` and `test_indptr.npy` (int64, `[n_users + 1]`), `train_indices.npy` and `test_indices.npy`
//! (int32). Train items are masked. Each answer is one line: `{"seconds": …, "quality": {"recall@20": …, …}}`; reading is
//! not in the time, everything else is. Without a folder it makes a small set of its own and runs once.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use catchment_evaluation::{
    EvaluateConfig, Evaluator, GroundTruth, MetricKind, NamedLists, Role, SeenItems, VectorLists,
};
use catchment_schema::{Metric, UserIdx};

struct Inputs {
    users: Vec<f32>,
    items: Vec<f32>,
    dim: usize,
    train: (Vec<i64>, Vec<i32>),
    test: (Vec<i64>, Vec<i32>),
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args().nth(1) else {
        return run(&made());
    };
    let inputs = read(Path::new(&folder))?;
    for line in std::io::stdin().lock().lines() {
        line?;
        run(&inputs)?;
    }
    Ok(())
}

fn run(inputs: &Inputs) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let n_items = inputs.items.len() / inputs.dim;
    let seen = SeenItems::from_csr(&inputs.train.0, &inputs.train.1)?;
    let held_out = SeenItems::from_csr(&inputs.test.0, &inputs.test.1)?;
    let pairs = (0..held_out.n_users()).flat_map(|user| {
        let user = UserIdx::from_index(user);
        held_out.of(user).iter().map(move |&item| (user, item))
    });
    let truth = GroundTruth::from_pairs(pairs, seen.n_users(), n_items);
    let config = EvaluateConfig {
        ks: vec![10, 20, 50, 100],
        metrics: vec![
            MetricKind::Recall,
            MetricKind::Ndcg,
            MetricKind::HitRate,
            MetricKind::Mrr,
            MetricKind::Precision,
            MetricKind::Map,
        ],
        resamples: 0,
        ..EvaluateConfig::default()
    };
    let (users, items) = (inputs.users.clone(), inputs.items.clone());
    let lists = VectorLists::new(users, items, inputs.dim, Metric::InnerProduct)?.excluding_seen(&seen);
    let named = NamedLists {
        name: "vectors",
        lists: &lists,
        role: Role::Other,
    };
    let judged = Evaluator::new(&truth, &config, "test", 7)
        .with_seen(&seen)
        .judge(&[named])?;
    let seconds = start.elapsed().as_secs_f64();
    let report = &judged.reports[0];
    let quality: Vec<String> = report
        .metrics
        .iter()
        .chain(&report.catalogue)
        .map(|(name, value)| format!("\"{name}\": {value}"))
        .collect();
    println!(
        "{{\"seconds\": {seconds}, \"quality\": {{{}}}}}",
        quality.join(", ")
    );
    Ok(())
}

fn read(folder: &Path) -> Result<Inputs, Box<dyn Error>> {
    let (users, [_, dim]) = floats(&folder.join("users.npy"))?;
    let (items, [_, width]) = floats(&folder.join("items.npy"))?;
    if dim != width {
        return Err(format!("users have {dim} dimensions, items {width}").into());
    }
    let csr = |part: &str| -> Result<(Vec<i64>, Vec<i32>), Box<dyn Error>> {
        let (indptr, _) = array(&folder.join(format!("{part}_indptr.npy")), "<i8", |b: [u8; 8]| {
            i64::from_le_bytes(b)
        })?;
        let (indices, _) = array(
            &folder.join(format!("{part}_indices.npy")),
            "<i4",
            |b: [u8; 4]| i32::from_le_bytes(b),
        )?;
        Ok((indptr, indices))
    };
    Ok(Inputs {
        users,
        items,
        dim,
        train: csr("train")?,
        test: csr("test")?,
    })
}

fn floats(path: &Path) -> Result<(Vec<f32>, [usize; 2]), Box<dyn Error>> {
    let (values, shape) = array(path, "<f4", |b: [u8; 4]| f32::from_le_bytes(b))?;
    let shape =
        <[usize; 2]>::try_from(shape).map_err(|_| format!("{}: not two-dimensional", path.display()))?;
    Ok((values, shape))
}

/// The values and the shape of a `NumPy` file, row-major, of one type.
fn array<T, const N: usize>(
    path: &Path,
    descr: &str,
    value: impl Fn([u8; N]) -> T,
) -> Result<(Vec<T>, Vec<usize>), Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let wrong = |what: &str| format!("{}: {what}", path.display());
    if bytes.get(..6) != Some(b"\x93NUMPY") || bytes.len() < 12 {
        return Err(wrong("no NumPy file").into());
    }
    let (start, length) = match bytes[6] {
        1 => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        _ => (
            12,
            u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize,
        ),
    };
    let header = bytes.get(start..start + length).ok_or_else(|| wrong("cut off"))?;
    let header = std::str::from_utf8(header)?;
    if !header.contains(&format!("'{descr}'")) || !header.contains("'fortran_order': False") {
        return Err(wrong(&format!("wanted {descr}, row-major; found {header}")).into());
    }
    let inner = header
        .split_once("'shape': (")
        .and_then(|(_, rest)| rest.split_once(')'));
    let (inner, _) = inner.ok_or_else(|| wrong("no shape"))?;
    let shape: Vec<usize> = inner
        .split(',')
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let values: Vec<T> = bytes[start + length..]
        .as_chunks::<N>()
        .0
        .iter()
        .map(|&chunk| value(chunk))
        .collect();
    if values.len() != shape.iter().product::<usize>() {
        return Err(wrong("cut off").into());
    }
    Ok((values, shape))
}

/// A few users, the same every time.
fn made() -> Inputs {
    let (n_users, n_items, dim) = (400u32, 900u32, 16);
    let mut state = 7u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let mut values = |n: u32| (0..n as usize * dim).map(|_| next()).collect::<Vec<f32>>();
    let (users, items) = (values(n_users), values(n_items));
    let rows = |step: u32, length: u32| {
        let row = |user: u32| (0..length).map(move |i| (user * 31 + i * step) % n_items);
        let items = (0..n_users)
            .flat_map(row)
            .filter_map(|item| i32::try_from(item).ok());
        let ends = (0..=i64::from(n_users)).map(|user| user * i64::from(length));
        (ends.collect(), items.collect())
    };
    Inputs {
        users,
        items,
        dim,
        train: rows(7, 20),
        test: rows(11, 5),
    }
}
