//! What of a spec can be checked without data: names, sides, ranges, and what crosses refer to.

use std::collections::BTreeSet;

use crate::config::CrossConfig;
use crate::nearest::did_you_mean;
use crate::{Error, FeatureConfig, FeatureSpec, Result, Side};

pub(crate) fn check(spec: &FeatureSpec) -> Result<()> {
    for side in Side::ALL {
        let mut names = BTreeSet::new();
        for (place, config) in spec.side(side).iter().enumerate() {
            let fault = if config.name().is_empty() {
                Some("a feature needs a name".to_owned())
            } else if names.insert(config.name()) {
                None
            } else {
                Some(format!("two features are called `{}`", config.name()))
            };
            if let Some(reason) = fault {
                let key = format!("features.{side}.name");
                return Err(Error::BadConfig { key, reason });
            }
            config.validate(side)?;
            if let FeatureConfig::Cross(cross) = config {
                check_cross(spec, side, place, cross)?;
            }
        }
    }
    Ok(())
}

fn check_cross(spec: &FeatureSpec, side: Side, place: usize, cross: &CrossConfig) -> Result<()> {
    let known: Vec<(String, &FeatureConfig)> = match side {
        Side::Candidate => [Side::User, Side::Item, Side::Context]
            .into_iter()
            .flat_map(|side| spec.side(side).iter().map(move |other| (side, other)))
            .map(|(side, other)| (format!("{side}.{}", other.name()), other))
            .collect(),
        _ => spec.side(side)[..place]
            .iter()
            .map(|other| (other.name().to_owned(), other))
            .collect(),
    };
    for name in &cross.features {
        let reason = match known.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other.is_bag() => continue,
            Some((_, other)) => format!(
                "`{name}` (kind `{}`) comes out as numbers; only features of ids can be crossed",
                other.kind()
            ),
            None => {
                let with_ids = known.iter().filter(|(_, other)| other.is_bag());
                let names: Vec<&str> = with_ids.map(|(name, _)| name.as_str()).collect();
                let which = match side {
                    Side::Candidate => "features of ids, as `side.name`",
                    _ => "features of ids before it",
                };
                format!(
                    "there is no feature `{name}`{}; {which}: {}",
                    did_you_mean(name, &names),
                    names.join(", ")
                )
            }
        };
        return Err(Error::BadConfig {
            key: format!("features.{side}.{}.features", cross.name),
            reason,
        });
    }
    Ok(())
}
