//! Where towers are trained.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A device, by the words of a command line: `cpu`, `gpu`, `gpu:1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrainingDevice {
    /// The processor, on all threads.
    #[default]
    Cpu,
    /// A graphics processor, by its number in the list of devices; without one, the best.
    Gpu(Option<usize>),
}

impl FromStr for TrainingDevice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "gpu" => Ok(Self::Gpu(None)),
            Some(("gpu", number)) => match number.parse() {
                Ok(number) => Ok(Self::Gpu(Some(number))),
                Err(_) => Err(format!("{number:?} is no number of a device")),
            },
            _ => Err(format!("{text:?} is no device: cpu, gpu or gpu:1")),
        }
    }
}

impl std::fmt::Display for TrainingDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(number)) => write!(f, "gpu:{number}"),
        }
    }
}

/// What towers can be trained on here: what to write for it, and what it is.
pub fn devices() -> Vec<(TrainingDevice, String)> {
    let threads = rayon::current_num_threads();
    #[allow(unused_mut, reason = "GPUs come on top where they are compiled in")]
    let mut devices = vec![(TrainingDevice::Cpu, format!("the processor, {threads} threads"))];
    #[cfg(feature = "gpu")]
    devices.extend(
        super::gpu::names()
            .into_iter()
            .enumerate()
            .map(|(number, name)| (TrainingDevice::Gpu(Some(number)), name)),
    );
    devices
}

#[cfg(feature = "towers-train")]
impl TrainingDevice {
    /// As the framework knows it.
    ///
    /// # Errors
    /// [`crate::Error::Device`] for a GPU where this program was built without them, or where there is none.
    pub(crate) fn open(self) -> crate::Result<burn::tensor::Device> {
        match self {
            Self::Cpu => Ok(burn::tensor::Device::flex()),
            #[cfg(feature = "gpu")]
            Self::Gpu(number) => super::gpu::open(number),
            #[cfg(not(feature = "gpu"))]
            Self::Gpu(_) => Err(crate::Error::Device {
                reason: "this program was built without `gpu`; build it with `--features gpu`".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for device in [
            TrainingDevice::Cpu,
            TrainingDevice::Gpu(None),
            TrainingDevice::Gpu(Some(1)),
        ] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!(devices()[0].0, TrainingDevice::Cpu);
        for text in ["", "cuda", "gpu:", "gpu:x", "cpu:0"] {
            assert!(text.parse::<TrainingDevice>().is_err(), "{text}");
        }
    }
}
