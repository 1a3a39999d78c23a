//! What the moments of Adam are divided by while they are young.

/// Sightings that are looked up; more are computed each time.
const KNOWN: usize = 1 << 10;

/// `1 / (1 - β₁ⁿ)` and `1 / (1 - β₂ⁿ)` for a row that was seen `n` times: two powers for every row of every step would
/// cost as much as the row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unbiased {
    beta1: f32,
    beta2: f32,
    known: Vec<[f32; 2]>,
}

impl Unbiased {
    pub(super) fn new(beta1: f32, beta2: f32) -> Self {
        let mut all = Self {
            beta1,
            beta2,
            known: vec![],
        };
        all.known = (0..KNOWN).map(|n| all.compute(n as f32)).collect();
        all
    }

    /// `sightings`: a whole number, at least 1.
    #[inline]
    pub(super) fn of(&self, sightings: f32) -> [f32; 2] {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count; a larger one than is known is computed"
        )]
        let known = self.known.get(sightings as usize);
        known.copied().unwrap_or_else(|| self.compute(sightings))
    }

    #[cold]
    fn compute(&self, sightings: f32) -> [f32; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 / (1.0 - beta.powf(sightings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_goes_on_as_what_is_computed() {
        let unbiased = Unbiased::new(0.9, 0.999);
        for n in [1_u16, 2, 1023, 1024, 5000] {
            let [first, second] = unbiased.of(f32::from(n)).map(f64::from);
            let exact = |beta: f64| 1.0 / (1.0 - beta.powi(i32::from(n)));
            assert!((first / exact(0.9) - 1.0).abs() < 1e-5, "{n}: {first}");
            assert!((second / exact(0.999) - 1.0).abs() < 1e-4, "{n}: {second}");
        }
    }
}
