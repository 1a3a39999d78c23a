//! The basis in which the Gramian of one side is diagonal.

use faer::Mat;

use super::factors::Factors;
use crate::dense::self_adjoint;
use crate::{Error, Result};

/// `G = Q Λ Qᵀ`.
#[derive(Clone, Debug)]
pub(super) struct Eigenbasis {
    /// `Λ`, `[dim]`, not below 0.
    pub(super) eigenvalues: Vec<f32>,
    /// `Q`, `[dim, dim]`, a column for each eigenvalue.
    pub(super) rotation: Mat<f32>,
}

impl Eigenbasis {
    /// Of a Gramian, of which the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Diverged`] for values that are not finite.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the vectors are in single precision"
    )]
    pub(super) fn of(gramian: &Mat<f64>) -> Result<Self> {
        let dim = gramian.nrows();
        let (eigenvalues, vectors) = self_adjoint(gramian).ok_or(Error::Diverged { model: "iALS" })?;
        Ok(Self {
            eigenvalues: eigenvalues.iter().map(|&value| value.max(0.0) as f32).collect(),
            rotation: Mat::from_fn(dim, dim, |i, j| vectors[(i, j)] as f32),
        })
    }

    /// Turns `factors` into the basis of their own Gramian.
    pub(super) fn turn(factors: &mut Factors, gramian: &Mat<f64>) -> Result<Self> {
        let basis = Self::of(gramian)?;
        factors.turn(basis.rotation.as_ref());
        Ok(basis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_turning_the_gramian_is_diagonal() {
        let mut factors = Factors::random(50, 20, 1.0, 9);
        let gramian = factors.gramian();
        let basis = Eigenbasis::turn(&mut factors, &gramian).expect("finite");
        let turned = factors.gramian();
        for j in 0..20 {
            for i in j..20 {
                let expected = if i == j {
                    f64::from(basis.eigenvalues[i])
                } else {
                    0.0
                };
                assert!(
                    (turned[(i, j)] - expected).abs() < 1e-3,
                    "{i} {j} {}",
                    turned[(i, j)]
                );
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        let gramian = Mat::from_fn(2, 2, |_, _| f64::NAN);
        assert!(matches!(Eigenbasis::of(&gramian), Err(Error::Diverged { .. })));
    }
}
