//! The logistic function, fast and with a bound on its error.

use crate::exponential::power_of_two;

/// Beyond this the logistic function is 0 or 1 to a 2⁻⁴³ part.
const LARGEST: f32 = 30.0;

/// `1 / (1 + e^−x)`, for any finite `x`; NaN stays NaN.
///
/// Off by less than 3·10⁻⁷; the tests below go through all of its range. Free of branches, so that it becomes vector
/// code wherever it is called in a loop.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let power = x.clamp(-LARGEST, LARGEST) * -std::f32::consts::LOG2_E;
    1.0 / (1.0 + power_of_two(power))
}

/// `ln(1 + e^x)` in double precision: the loss of a pair whose logit is `−x`.
pub(super) fn softplus(x: f32) -> f64 {
    let x = f64::from(x);
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_below_its_bound_everywhere() {
        let mut worst = 0.0_f64;
        for step in -400_000..=400_000 {
            let x = step as f32 * 1e-4;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            worst = worst.max((f64::from(sigmoid(x)) - exact).abs());
        }
        assert!(worst < 3e-7, "{worst}");
    }

    #[test]
    fn it_rises_and_ends_where_it_should() {
        let values: Vec<f32> = (-300..=300).map(|step| sigmoid(step as f32 * 0.1)).collect();
        assert!(values.is_sorted());
        assert!((sigmoid(0.0) - 0.5).abs() < f32::EPSILON);
        for far in [f32::MAX, f32::INFINITY, 100.0] {
            assert!(sigmoid(far) > 0.999_999 && sigmoid(-far) < 1e-12 && sigmoid(-far) >= 0.0);
        }
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn softplus_is_the_negative_logarithm_of_the_logistic_function() {
        for x in [-80.0_f32, -3.0, 0.0, 0.5, 20.0, 90.0] {
            let exact = -(1.0 / (1.0 + f64::from(x).exp())).ln();
            assert!((softplus(x) - exact).abs() < 1e-9 * exact.max(1.0), "{x}");
        }
    }
}
