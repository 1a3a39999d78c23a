//! Eigenvalues of a symmetric matrix.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{
    ComputeEigenvectors, SelfAdjointEvdParams, self_adjoint_evd, self_adjoint_evd_scratch,
};
use faer::{Mat, Par, Spec};

/// The eigenvalues, rising, and a column for each of them; `None` for values that are not finite. Of the matrix the lower
/// triangle is read.
pub(crate) fn self_adjoint(matrix: &Mat<f64>) -> Option<(Vec<f64>, Mat<f64>)> {
    let dim = matrix.nrows();
    if !(0..dim).all(|j| (j..dim).all(|i| matrix[(i, j)].is_finite())) {
        return None;
    }
    let mut values = vec![0.0; dim];
    let mut vectors = Mat::<f64>::zeros(dim, dim);
    let parameters: Spec<SelfAdjointEvdParams, f64> = Spec::default();
    // On one thread: how faer splits the work would show in the last bits.
    let scratch = self_adjoint_evd_scratch(dim, ComputeEigenvectors::Yes, Par::Seq, parameters);
    self_adjoint_evd(
        matrix.as_ref(),
        DiagMut::from_slice_mut(&mut values),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        parameters,
    )
    .ok()?;
    Some((values, vectors))
}
