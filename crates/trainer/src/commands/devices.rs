//! `catchment-train devices`.

use catchment_models::towers::device;
use serde_json::json;

use super::print_json;
use crate::cli::Output;
use crate::failure::Failure;

pub(crate) fn run(output: Output) -> Result<(), Failure> {
    output.set_up_threads(0);
    let devices = device::devices();
    let has_gpus = cfg!(feature = "gpu");
    if output.json {
        let list: Vec<_> = devices
            .iter()
            .map(|(device, name)| json!({ "device": device.to_string(), "name": name }))
            .collect();
        return print_json(&json!({ "devices": list, "built_with_gpu": has_gpus }));
    }
    for (device, name) in &devices {
        println!("{:8}{name}", device.to_string());
    }
    if !has_gpus {
        println!("(built without GPUs: cargo build --workspace --features catchment-trainer/gpu)");
    } else if devices.len() == 1 {
        println!("(no GPU, or no driver for one: Vulkan, Metal or DirectX)");
    }
    Ok(())
}
