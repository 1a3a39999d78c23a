//! A file with a checksum at its end.

use std::io::{Read, Write};

use xxhash_rust::xxh3::Xxh3Default;

/// Hashes what goes through it.
pub(crate) struct Hashed<T> {
    pub(crate) inner: T,
    pub(crate) hash: Xxh3Default,
}

impl<T> Hashed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Xxh3Default::new(),
        }
    }
}

impl<T: Read> Hashed<T> {
    /// The next `N` bytes.
    pub(crate) fn number<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
