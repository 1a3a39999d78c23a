//! From files to files, through the public interface.

mod real_data;
mod whole_way;
