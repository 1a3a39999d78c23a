//! SHA-256 of bytes and of files.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

const BUFFER: usize = 1 << 18;

/// How long a file is and the hash of what is in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// 64 hexadecimal digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Reads an open file to its end; `path` is only for the error.
pub(crate) fn of_file(path: &Path, mut file: &File) -> Result<Checksum> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer).map_err(Error::io(path))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
    }
    Ok(Checksum {
        bytes,
        sha256: hexadecimal(&hasher.finalize()),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            of_bytes(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_file_longer_than_the_buffer_hashes_as_its_bytes_do() {
        let bytes: Vec<u8> = (0u8..=255).cycle().take(BUFFER * 2 + 17).collect();
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), &bytes).expect("written");
        let checksum = of_file(file.path(), &File::open(file.path()).expect("open")).expect("read");
        assert_eq!(checksum.bytes, bytes.len() as u64);
        assert_eq!(checksum.sha256, of_bytes(&bytes));
    }
}
