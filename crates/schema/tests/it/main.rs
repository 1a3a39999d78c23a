//! The files that come in and go out, from outside.

mod import_files;
mod import_formats;
mod import_real;
