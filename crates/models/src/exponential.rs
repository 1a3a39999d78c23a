//! Two to a power, as vector code: what the logistic function and the softmax are made of.

/// `2^x`, for `x` from −126 to 126.
///
/// `2^x = 2^r 2^f` with `r` the nearest whole number and `|f| ≤ ½`, where a polynomial of degree 5 stands for `2^f`; its
/// relative error is below 7.5·10⁻⁸. Free of branches.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
pub(crate) fn power_of_two(x: f32) -> f32 {
    // Adding it leaves no bits for a fraction: the sum is rounded to a whole number, which its low bits hold.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x + ROUND;
    let fraction = x - (shifted - ROUND);
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits() - 127) << 23;
    // Fitted to the smallest largest relative error on [−½, ½].
    let series = [
        0.001_327_647,
        0.009_675_541,
        0.055_507_13,
        0.240_221_2,
        0.693_146_94,
        1.000_000_1,
    ];
    let mut polynomial = series[0];
    for term in &series[1..] {
        polynomial = polynomial * fraction + term;
    }
    polynomial * f32::from_bits(exponent)
}
