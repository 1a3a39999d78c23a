//! Laws of every engine over generated worlds, and real vectors with known neighbours.

mod exact_laws;
mod vectors;
