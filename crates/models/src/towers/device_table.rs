//! Tables of embeddings that stay on the device on which a tower is trained.
//!
//! What [`EmbeddingTable`] is for a processor: rows are gathered and stepped there, only those that were seen are read or
//! written, and what goes to the device is which rows they are. The mathematics is the same, up to the order of sums.

mod runs;

use burn::tensor::{Device, IndexingUpdateOp, Tensor, TensorData};

use crate::embedding_table::{EmbeddingTable, Lookup, RowOptimizer};
use crate::{Error, Result};
use runs::{Runs, ids_on, to_i32};

/// A table of `[n_rows, dim]` numbers and what its optimizer keeps beside each row, all of it on a device.
#[derive(Clone, Debug)]
pub(super) struct DeviceTable {
    n_rows: usize,
    dim: usize,
    optimizer: RowOptimizer,
    l2: f32,
    device: Device,
    rows: Tensor<2>,
    /// Matrices of a row each: of Adagrad its sum, of Adam its sightings, means and mean squares.
    state: Vec<Tensor<2>>,
}

/// Who took rows, and the gradient by what they got, `[examples × dim]`.
pub(super) struct DeviceSource<'a> {
    pub(super) lookup: Lookup<'a>,
    pub(super) gradient: Tensor<2>,
}

impl DeviceTable {
    /// Takes a table to a device.
    ///
    /// # Errors
    /// [`Error::Device`] where the device cannot hold it.
    pub(super) fn new(table: &EmbeddingTable, device: &Device) -> Result<Self> {
        let (n_rows, dim) = (table.n_rows(), table.dim());
        to_i32(n_rows)?;
        let [rows, state] = table.parts();
        let mut on_device = Self {
            n_rows,
            dim,
            optimizer: table.optimizer(),
            l2: table.l2(),
            device: device.clone(),
            rows: lasting(rows.to_vec(), dim, device)?,
            state: vec![],
        };
        on_device.state = on_device.state_of(state)?;
        Ok(on_device)
    }

    /// The widths of the matrices beside the rows.
    fn state_widths(&self) -> Vec<usize> {
        match self.optimizer {
            RowOptimizer::Sgd => vec![],
            RowOptimizer::Adagrad { .. } => vec![1],
            RowOptimizer::Adam { .. } => vec![1, self.dim, self.dim],
        }
    }

    /// What stands side by side in a table of the processor, each in a matrix of its own.
    fn state_of(&self, state: &[f32]) -> Result<Vec<Tensor<2>>> {
        let width = self.optimizer.state_width(self.dim).max(1);
        let mut first = 0;
        let part = |of: usize| {
            let columns = first..first + of;
            first += of;
            let rows = state.chunks_exact(width);
            let numbers = rows.flat_map(|row| &row[columns.clone()]).copied();
            lasting(numbers.collect(), of, &self.device)
        };
        self.state_widths().into_iter().map(part).collect()
    }

    /// Their width.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// `[n_rows × dim]`, from the device.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn rows(&self) -> Result<Vec<f32>> {
        to_vec(self.rows.clone())
    }

    /// The row 0, `[1 × dim]`.
    pub(super) fn first_row(&self) -> Tensor<2> {
        self.rows.clone().narrow(0, 0, 1)
    }

    /// Its rows and what the optimizer keeps beside them, as [`EmbeddingTable::parts`] has them.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn parts(&self) -> Result<[Vec<f32>; 2]> {
        // One matrix after the other: side by side they may be more than the device has in one piece.
        let width = self.optimizer.state_width(self.dim);
        let mut state = vec![0.0; self.n_rows * width];
        let mut first = 0;
        for (matrix, of) in self.state.iter().zip(self.state_widths()) {
            let numbers = to_vec(matrix.clone())?;
            for (row, numbers) in state.chunks_exact_mut(width).zip(numbers.chunks_exact(of)) {
                row[first..first + of].copy_from_slice(numbers);
            }
            first += of;
        }
        Ok([self.rows()?, state])
    }

    /// Goes on from what [`DeviceTable::parts`] gave; whether that was of a table like this one.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn set_parts(&mut self, rows: Vec<f32>, state: &[f32]) -> Result<bool> {
        let n_state = self.n_rows * self.optimizer.state_width(self.dim);
        if rows.len() != self.n_rows * self.dim || state.len() != n_state {
            return Ok(false);
        }
        // What is there makes room first.
        self.state.clear();
        self.rows = matrix(vec![], self.dim, &self.device);
        self.device.sync().map_err(|error| Error::Device {
            reason: error.to_string(),
        })?;
        self.rows = lasting(rows, self.dim, &self.device)?;
        self.state = self.state_of(state)?;
        Ok(true)
    }

    /// What each example takes, pooled: `[examples × dim]`.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the lookup is none of this table.
    pub(super) fn gather(&self, lookup: &Lookup<'_>) -> Result<Tensor<2>> {
        lookup.check(self.n_rows)?;
        let examples = 0..lookup.n_examples();
        let mut rows = Vec::with_capacity(lookup.ids.len());
        for example in examples.clone() {
            let scale = lookup.scale(example);
            let entries = lookup.range(example);
            rows.extend(entries.map(|entry| (lookup.ids[entry], scale * lookup.weight(entry))));
        }
        let lengths: Vec<usize> = examples.map(|example| lookup.range(example).len()).collect();
        Ok(Runs::new(&rows, &lengths)?.sums(self.rows.clone(), &self.device))
    }

    /// Goes down the gradient by what was gathered. All rows that occur move once, however often they occur.
    ///
    /// # Errors
    /// [`Error::Lookup`] as [`DeviceTable::gather`]; the table is then as it was.
    pub(super) fn step(&mut self, sources: &[DeviceSource<'_>], rate: f32) -> Result<()> {
        // Row of the table, row of the gradients one below the other, and how much of that.
        let mut entries: Vec<(u32, u32, f32)> = vec![];
        let mut first = 0;
        for DeviceSource { lookup, .. } in sources {
            lookup.check(self.n_rows)?;
            for example in 0..lookup.n_examples() {
                let scale = lookup.scale(example);
                let below = u32::try_from(first + example).map_err(|_| Error::Lookup {
                    reason: "more examples than one step can have".to_owned(),
                })?;
                let of = |entry| (lookup.ids[entry], below, scale * lookup.weight(entry));
                entries.extend(lookup.range(example).map(of));
            }
            first += lookup.n_examples();
        }
        if entries.is_empty() {
            return Ok(());
        }
        // By row, and in the order given.
        entries.sort_by_key(|&(row, ..)| row);
        let (mut seen, mut lengths) = (vec![], vec![]);
        for same_row in entries.chunk_by(|a, b| a.0 == b.0) {
            seen.push(to_i32(same_row[0].0 as usize)?);
            lengths.push(same_row.len());
        }
        let entries: Vec<(u32, f32)> = entries.iter().map(|&(_, below, scale)| (below, scale)).collect();
        let runs = Runs::new(&entries, &lengths)?;
        let gradients = sources.iter().map(|source| source.gradient.clone()).collect();
        let mut gradient = runs.sums(Tensor::cat(gradients, 0), &self.device);

        let seen = ids_on(seen, &self.device);
        let of_seen = |matrix: &Tensor<2>| matrix.clone().select(0, seen.clone());
        let rows = of_seen(&self.rows);
        let state: Vec<Tensor<2>> = self.state.iter().map(of_seen).collect();
        if self.l2 > 0.0 {
            gradient = gradient + rows.clone().mul_scalar(self.l2);
        }
        let (rows, state) = updated(self.optimizer, rows, state, gradient, rate);
        let place = seen.unsqueeze_dim(1);
        put(&mut self.rows, place.clone(), rows);
        for (old, new) in self.state.iter_mut().zip(state) {
            put(old, place.clone(), new);
        }
        Ok(())
    }
}

/// As [`RowOptimizer`] says, for many rows at once.
fn updated(
    optimizer: RowOptimizer,
    rows: Tensor<2>,
    state: Vec<Tensor<2>>,
    gradient: Tensor<2>,
    rate: f32,
) -> (Tensor<2>, Vec<Tensor<2>>) {
    let mut state = state.into_iter();
    match (optimizer, state.next(), state.next(), state.next()) {
        (RowOptimizer::Adagrad { epsilon }, Some(sum), ..) => {
            let sum = sum + gradient.clone().square().mean_dim(1);
            let step = gradient.mul_scalar(rate) / (sum.clone().sqrt() + epsilon);
            (rows - step, vec![sum])
        }
        (
            RowOptimizer::Adam {
                beta1,
                beta2,
                epsilon,
            },
            Some(sightings),
            Some(mean),
            Some(square),
        ) => {
            let sightings = sightings + 1.0;
            let mean = mean.clone() + (gradient.clone() - mean).mul_scalar(1.0 - beta1);
            let square = square.clone() + (gradient.square() - square).mul_scalar(1.0 - beta2);
            // 1 - βⁿ, of which it is a part while a row is young.
            let part = |beta: f32| -(sightings.clone().mul_scalar(beta.ln()).exp() - 1.0);
            let root = (square.clone() / part(beta2)).sqrt() + epsilon;
            let step = mean.clone().mul_scalar(rate) / part(beta1) / root;
            (rows - step, vec![sightings, mean, square])
        }
        _ => (rows - gradient.mul_scalar(rate), vec![]),
    }
}

/// Writes rows to places that are each somebody's only one, where they stand: nothing else may hold the matrix.
fn put(matrix: &mut Tensor<2>, places: Tensor<2, burn::tensor::Int>, rows: Tensor<2>) {
    let old = std::mem::replace(matrix, rows.clone());
    *matrix = old.scatter_nd(places, rows, IndexingUpdateOp::Assign);
}

/// A matrix on a device.
pub(super) fn matrix(numbers: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let n_rows = numbers.len() / width.max(1);
    Tensor::from_data(TensorData::new(numbers, [n_rows, width]), device)
}

/// A matrix that is to stay there. What there is no room for is otherwise told when somebody reads it.
fn lasting(numbers: Vec<f32>, width: usize, device: &Device) -> Result<Tensor<2>> {
    let n_rows = numbers.len() / width.max(1);
    let matrix = matrix(numbers, width, device);
    if n_rows == 0 {
        return Ok(matrix);
    }
    to_vec(matrix.clone().narrow(0, n_rows - 1, 1)).map_err(|error| Error::Device {
        reason: format!("{n_rows} × {width} numbers could not be put on the device in one piece: {error}"),
    })?;
    Ok(matrix)
}

/// From a device.
pub(super) fn to_vec<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().map_err(|error| Error::Device {
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedding_table::Pooling;

    const ROWS: u32 = 40;
    const DIM: usize = 3;

    fn table(optimizer: RowOptimizer, l2: f32) -> EmbeddingTable {
        let table = EmbeddingTable::new(ROWS as usize, DIM, 0.5, optimizer, 7).expect("settings");
        table.with_l2(l2)
    }

    /// Also with an ε that is not too small to be seen where it does not belong.
    fn optimizers() -> Vec<RowOptimizer> {
        vec![
            RowOptimizer::Sgd,
            RowOptimizer::ADAGRAD,
            RowOptimizer::Adagrad { epsilon: 0.1 },
            RowOptimizer::ADAM,
            RowOptimizer::Adam {
                beta1: 0.7,
                beta2: 0.9,
                epsilon: 0.1,
            },
        ]
    }

    #[test]
    fn a_table_without_rows_goes_to_a_device() {
        let device = Device::flex();
        let empty = EmbeddingTable::new(0, DIM, 0.5, RowOptimizer::ADAM, 7).expect("settings");
        let there = DeviceTable::new(&empty, &device).expect("nothing needs no room");
        let [rows, state] = there.parts().expect("numbers");
        assert!(rows.is_empty() && state.is_empty());
    }

    fn near(found: &[f32], wanted: &[f32], what: &str) {
        assert_eq!(found.len(), wanted.len(), "{what}");
        for (place, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let most = 1e-4 * wanted.abs().max(1.0);
            assert!((found - wanted).abs() < most, "{what}, {place}: {found} {wanted}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Whatever is looked up how often: what is gathered, and what three steps make of the rows and of what stands beside
        /// them, is that of the processor's table.
        #[test]
        fn a_table_on_a_device_is_the_one_of_the_processor(
            bags in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec((0..ROWS, 0.1_f32..2.0), 0..12),
                    prop::collection::vec((0_u32..2, 0.1_f32..2.0), 0..90),
                ],
                1..9,
            ),
            singles in prop::collection::vec(0..ROWS, 1..9),
            is_mean in any::<bool>(),
            optimizer in prop::sample::select(optimizers()),
            l2 in prop_oneof![Just(0.0_f32), Just(0.1)],
        ) {
            let ids: Vec<u32> = bags.iter().flatten().map(|&(id, _)| id).collect();
            let weights: Vec<f32> = bags.iter().flatten().map(|&(_, weight)| weight).collect();
            let mut offsets = vec![0_u32];
            for bag in &bags {
                offsets.push(offsets[offsets.len() - 1] + u32::try_from(bag.len()).expect("few"));
            }
            let bag = Lookup {
                ids: &ids,
                offsets: Some(&offsets),
                weights: Some(&weights),
                pooling: if is_mean { Pooling::Mean } else { Pooling::Sum },
            };
            let single = Lookup::single(&singles);
            let device = Device::flex();
            let mut host = table(optimizer, l2);
            let mut there = DeviceTable::new(&host, &device).expect("room");
            for step in 0..3 {
                let mut wanted = vec![0.0; bags.len() * DIM];
                host.gather(&bag, &mut wanted).expect("fits");
                near(&to_vec(there.gather(&bag).expect("fits")).expect("numbers"), &wanted, "gathered");
                let slopes = |n: usize| -> Vec<f32> {
                    (0..n * DIM).map(|cell| ((cell * 7 + step) as f32 * 0.37).sin()).collect()
                };
                let (of_bags, of_singles) = (slopes(bags.len()), slopes(singles.len()));
                host.step(&[(bag, &of_bags), (single, &of_singles)], 0.1).expect("fits");
                let source = |lookup, gradient| DeviceSource {
                    lookup,
                    gradient: matrix(gradient, DIM, &device),
                };
                there.step(&[source(bag, of_bags), source(single, of_singles)], 0.1).expect("fits");
            }
            let [rows, state] = there.parts().expect("numbers");
            let [wanted_rows, wanted_state] = host.parts();
            near(&rows, wanted_rows, "rows");
            near(&state, wanted_state, "state");
            // And back: what one wrote down is what the other goes on from.
            let mut fresh = DeviceTable::new(&table(optimizer, l2), &device).expect("room");
            prop_assert!(fresh.set_parts(wanted_rows.to_vec(), wanted_state).expect("room"));
            prop_assert_eq!(fresh.parts().expect("numbers"), [wanted_rows.to_vec(), wanted_state.to_vec()]);
            prop_assert!(!fresh.set_parts(vec![0.0; 3], wanted_state).expect("refused"));
        }
    }

    /// The same on whatever driver there is.
    #[cfg(feature = "gpu")]
    #[test]
    fn a_gpu_holds_the_tables_of_the_processor() {
        let Ok(device) = crate::towers::device::TrainingDevice::Gpu(None).open() else {
            println!(
                "a_gpu_holds_the_tables_of_the_processor is skipped: there is no Vulkan, Metal or DirectX driver"
            );
            return;
        };
        let ids: Vec<u32> = (0..90).map(|place| place * place % ROWS).collect();
        let weights: Vec<f32> = (0..90_u8).map(|place| 0.2 + f32::from(place % 7)).collect();
        let bag = Lookup {
            ids: &ids,
            offsets: Some(&[0, 3, 3, 80, 90]),
            weights: Some(&weights),
            pooling: Pooling::Mean,
        };
        for optimizer in optimizers() {
            let mut host = table(optimizer, 0.01);
            let mut there = DeviceTable::new(&host, &device).expect("room");
            for step in 0..20_u16 {
                let mut wanted = vec![0.0; 4 * DIM];
                host.gather(&bag, &mut wanted).expect("fits");
                let found = to_vec(there.gather(&bag).expect("fits")).expect("numbers");
                near(
                    &found,
                    &wanted,
                    &format!("{optimizer:?}: gathered at step {step}"),
                );
                let slopes: Vec<f32> = (0..4 * DIM as u16)
                    .map(|cell| (f32::from(cell + step) * 0.37).sin())
                    .collect();
                host.step(&[(bag, &slopes)], 0.02).expect("fits");
                let gradient = matrix(slopes, DIM, &device);
                there
                    .step(
                        &[DeviceSource {
                            lookup: bag,
                            gradient,
                        }],
                        0.02,
                    )
                    .expect("fits");
            }
            let [rows, state] = there.parts().expect("numbers");
            let [wanted_rows, wanted_state] = host.parts();
            near(&state, wanted_state, &format!("{optimizer:?}: state"));
            near(&rows, wanted_rows, &format!("{optimizer:?}: rows"));
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_changes_nothing() {
        let device = Device::flex();
        let mut there = DeviceTable::new(&table(RowOptimizer::ADAM, 0.0), &device).expect("room");
        let before = there.parts().expect("numbers");
        let beyond = [ROWS];
        assert!(matches!(
            there.gather(&Lookup::single(&beyond)),
            Err(Error::Lookup { .. })
        ));
        let good = DeviceSource {
            lookup: Lookup::single(&[1]),
            gradient: matrix(vec![1.0; DIM], DIM, &device),
        };
        let bad = DeviceSource {
            lookup: Lookup::single(&beyond),
            gradient: matrix(vec![1.0; DIM], DIM, &device),
        };
        assert!(there.step(&[good, bad], 0.1).is_err());
        assert_eq!(there.parts().expect("numbers"), before);
    }
}
