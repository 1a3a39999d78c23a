//! Graphics processors, by burn's wgpu: Vulkan, Metal or DirectX below, whoever made them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, DeviceType};

use crate::{Error, Result};

/// Every device that wgpu finds, the best first. Drivers may panic; a machine with a broken one has none.
fn all() -> Vec<Device> {
    catch_unwind(|| Device::enumerate(DeviceType::Wgpu).into_vec()).unwrap_or_default()
}

/// The names of all devices, in the order of their numbers.
pub(super) fn names() -> Vec<String> {
    let name = |device: &Device| {
        let identity = catch_unwind(AssertUnwindSafe(|| device.identity()))
            .ok()
            .flatten();
        identity.map_or_else(
            || "a device that says no name".to_owned(),
            |identity| identity.name.to_string(),
        )
    };
    all().iter().map(name).collect()
}

/// The device with this number, or the first.
pub(super) fn open(number: Option<usize>) -> Result<Device> {
    let devices = all();
    let n = devices.len();
    let none = match number {
        _ if n == 0 => {
            "there is no GPU, or no driver for it (Vulkan, Metal or DirectX); train on `cpu`".to_owned()
        }
        Some(number) => format!("there is no GPU {number}: {n} are there, numbered from 0"),
        None => String::new(),
    };
    devices
        .into_iter()
        .nth(number.unwrap_or(0))
        .ok_or(Error::Device { reason: none })
}
