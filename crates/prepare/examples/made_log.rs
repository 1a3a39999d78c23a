//! A log of any length as CSV, for measuring how preparation grows: the same rows for the same number, on any machine.
//!
//! `cargo run -p catchment-prepare --example made_log -- 2000000 > log.csv`
//!
//! Users have 20 events on average and items 200, both with a long tail; times lie within a year, in the order of the
//! file; some events carry a rating. There is nothing to learn from it: for that, `catchment-train synth`.

use std::io::{BufWriter, Write};

/// Multiplies and adds (Knuth's MMIX), and hands out the upper bits.
struct Lots(u64);

impl Lots {
    /// A number from 0 to below 1.
    fn draw(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }

    /// A number below `n`; small ones come more often, the more so the larger the power.
    fn below(&mut self, n: f64, power: f64) -> u64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to below n"
        )]
        let number = (self.draw().powf(power) * n) as u64;
        number
    }
}

fn main() -> std::io::Result<()> {
    let n_rows = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000_u32);
    let (n_users, n_items) = (f64::from(n_rows / 20 + 1), f64::from(n_rows / 200 + 1));
    let mut lots = Lots(7);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "user_id,item_id,timestamp,event,value")?;
    for row in 0..n_rows {
        let (user, item) = (lots.below(n_users, 1.5), lots.below(n_items, 2.5));
        let time = 1_700_000_000.0 + f64::from(row) / f64::from(n_rows) * 31_536_000.0;
        match lots.below(10.0, 1.0) {
            0 => writeln!(out, "u{user},i{item},{time:.0},buy,")?,
            1 | 2 => writeln!(out, "u{user},i{item},{time:.0},rate,{}", 1 + lots.below(5.0, 0.5))?,
            _ => writeln!(out, "u{user},i{item},{time:.0},view,")?,
        }
    }
    out.flush()
}
