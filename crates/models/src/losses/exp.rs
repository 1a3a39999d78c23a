//! The exponential of a row of logits, fast and with a bound on its error.

use crate::exponential::power_of_two;

/// Below this, `e^x` is smaller than any normal number of single precision; it is 0 here.
const SMALLEST: f32 = -87.0;

/// `e^x` for `x ≤ 0`: what is left of a logit below the largest of its row.
///
/// Off by less than a 10⁻⁷ part of itself above the rounding of `x · log₂ e`; tests go through all of its range. Free of
/// branches, so that it becomes vector code wherever it is called in a loop.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
pub(super) fn exp_of_negative(x: f32) -> f32 {
    let below = if x > SMALLEST { x } else { SMALLEST };
    let value = power_of_two(below * std::f32::consts::LOG2_E);
    if x > SMALLEST { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relative_error_is_small_everywhere() {
        let mut worst = 0.0_f64;
        for step in 0..860_000 {
            let x = -(step as f32) * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp_of_negative(x)) - exact).abs() / exact);
        }
        // Half a unit of x · log₂ e in the last place, times ln 2, is 2.6e-6 at the far end.
        assert!(worst < 4e-6, "{worst}");
        let near = (0..10_000).map(|step| -(step as f32) * 1e-4);
        for x in near {
            let exact = f64::from(x).exp();
            assert!((f64::from(exp_of_negative(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn what_is_left_out_is_nothing() {
        assert!(exp_of_negative(f32::NEG_INFINITY).to_bits() == 0);
        assert!(exp_of_negative(-100.0).to_bits() == 0);
        assert!((exp_of_negative(0.0) - 1.0).abs() < 2e-7);
    }
}
