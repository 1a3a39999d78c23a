//! The files that come in and go out, from outside.

mod damaged;
mod golden;
mod import_errors;
mod import_formats;
mod import_real;
mod round_trips;
mod samples;
