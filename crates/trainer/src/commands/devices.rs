//! `catchment-train devices`.

use catchment_models::towers::device;
use serde_json::json;

use super::print_json;
use crate::cli::Output;
use crate::failure::Failure;
use crate::speech;

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
        speech::say(format!("{:8}{name}", device.to_string()));
    }
    if !has_gpus {
        speech::say("(built without GPUs: cargo build --workspace --features catchment-trainer/gpu)");
    } else if devices.len() == 1 {
        speech::say("(no GPU, or no driver for one: Vulkan, Metal or DirectX)");
    }
    Ok(())
}
