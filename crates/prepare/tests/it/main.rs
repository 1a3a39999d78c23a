//! From files to files, through the public interface.

mod again;
mod doctor;
mod memory_limit;
mod real_data;
mod whole_way;
