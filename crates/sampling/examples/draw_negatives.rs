//! Draws negatives and shows how often each was expected.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use catchment_sampling::{Proposal, SamplingError, Uniform};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

fn main() -> Result<(), SamplingError> {
    let mut sampler = Uniform::new(20)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let negatives = sampler.draw(8, &mut rng);
    for (item, log) in negatives.ids().iter().zip(negatives.log_expected_count()) {
        println!(
            "item {:>2}: expected {:.2} times in a draw of 8, log {log:.3}",
            item.0,
            log.exp()
        );
    }
    Ok(())
}
