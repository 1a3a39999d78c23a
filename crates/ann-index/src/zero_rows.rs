//! Items without a vector.

use catchment_schema::{ItemIdx, ItemSet};

/// The items whose vector is zero everywhere: nothing is known of them. By cosine and by inner product they score 0, which
/// is more than everything negative; a search that is about what is known leaves them out
/// ([`ItemFilter::but_for`](catchment_schema::ItemFilter::but_for)).
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major.
///
/// ```
/// use catchment_ann_index::zero_rows;
/// use catchment_schema::ItemIdx;
///
/// let unknown = zero_rows(&[1.0, 0.0, 0.0, 0.0, 0.0, -1.0], 2);
/// assert_eq!(unknown.iter().collect::<Vec<_>>(), [ItemIdx(1)]);
/// ```
pub fn zero_rows(vectors: &[f32], dim: usize) -> ItemSet {
    let rows = vectors.chunks_exact(dim.max(1)).enumerate();
    rows.filter(|(_, vector)| vector.iter().all(|&x| x == 0.0))
        .map(|(row, _)| ItemIdx::from_index(row))
        .collect()
}
