//! What the system knows of this process.

/// Resident memory in bytes; 0 where the system has no `/proc`.
pub(super) fn resident_bytes() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    kibibytes(&status).map_or(0, |kibibytes| kibibytes * 1024)
}

/// The number in the line `VmRSS:    1234 kB`.
fn kibibytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_its_line_and_nothing_else() {
        assert_eq!(
            kibibytes("VmPeak:\t 9 kB\nVmRSS:\t  1234 kB\nVmData: 7 kB\n"),
            Some(1234)
        );
        assert_eq!(kibibytes("VmRSS: much\n"), None);
        assert_eq!(kibibytes(""), None);
    }
}
