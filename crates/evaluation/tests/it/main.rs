//! Lists from files and models, the laws of metrics, and parity with `ranx` and scikit-learn.

mod candidates;
mod file_lists;
mod full_corpus;
mod html_report;
mod laws;
mod numpy_parity;
mod ranx_parity;
mod reports;
mod sklearn_parity;
mod vector_lists;
