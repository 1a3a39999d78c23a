//! The pipeline over the tiny bundle.

mod damage;
mod exports;
mod golden;
mod recommend;
mod spaces;
mod tiny;
