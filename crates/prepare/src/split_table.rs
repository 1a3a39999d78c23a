//! The flat form of `[split]` in a recipe, in which each kind has its own keys.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::duration::{parse_millis, write_millis};
use crate::rolling::Rolling;
use crate::{Moment, Refit, SplitConfig, SplitKind};

/// `[split]` as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    kind: KindName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fraction: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<MomentText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<MomentText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    windows: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<ValidationTable>,
    #[serde(default)]
    refit: Refit,
}

/// A validation part is never rolling, and has none of its keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationTable {
    kind: KindName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fraction: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<MomentText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<MomentText>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindName {
    Given,
    Random,
    LeaveLast,
    Temporal,
    Rolling,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum MomentText {
    Fraction(f64),
    Text(String),
}

impl MomentText {
    fn read(&self, key: &str) -> Result<Moment, String> {
        match self {
            Self::Fraction(fraction) => Ok(Moment::Fraction(*fraction)),
            Self::Text(text) => read_time(key, text).map(Moment::Time),
        }
    }

    fn write(moment: Moment) -> Self {
        match moment {
            Moment::Fraction(fraction) => Self::Fraction(fraction),
            Moment::Time(time) => Self::Text(write_time(time)),
        }
    }
}

/// The keys that belong to one kind or another.
#[derive(Default)]
struct Keys {
    fraction: Option<f64>,
    n: Option<u32>,
    at: Option<MomentText>,
    since: Option<MomentText>,
    windows: Option<u32>,
    horizon: Option<String>,
    step: Option<String>,
    gap: Option<String>,
    window: Option<u32>,
}

impl Keys {
    /// The first key that is given and does not belong to the kind.
    fn stray(&self, kind: KindName) -> Option<&'static str> {
        let own: &[&str] = match kind {
            KindName::Given => &[],
            KindName::Random => &["fraction"],
            KindName::LeaveLast => &["n", "since"],
            KindName::Temporal => &["at"],
            KindName::Rolling => &["windows", "horizon", "step", "gap", "window"],
        };
        let given = [
            ("fraction", self.fraction.is_some()),
            ("n", self.n.is_some()),
            ("at", self.at.is_some()),
            ("since", self.since.is_some()),
            ("windows", self.windows.is_some()),
            ("horizon", self.horizon.is_some()),
            ("step", self.step.is_some()),
            ("gap", self.gap.is_some()),
            ("window", self.window.is_some()),
        ];
        let mut stray = given
            .into_iter()
            .filter(|(key, is_given)| *is_given && !own.contains(key));
        stray.next().map(|(key, _)| key)
    }

    fn read(&self, kind: KindName) -> Result<SplitKind, String> {
        let needs = |key: &str, kind: &str| format!("`{key}` is missing: kind = \"{kind}\" needs it");
        if let Some(key) = self.stray(kind) {
            return Err(format!("`{key}` means nothing for this kind of split"));
        }
        Ok(match kind {
            KindName::Given => SplitKind::Given,
            KindName::Random => SplitKind::Random {
                fraction: self.fraction.ok_or_else(|| needs("fraction", "random"))?,
            },
            KindName::LeaveLast => SplitKind::LeaveLast {
                n: self.n.unwrap_or(1),
                since: self.since.as_ref().map(|since| since.read("since")).transpose()?,
            },
            KindName::Temporal => SplitKind::Temporal {
                at: self
                    .at
                    .as_ref()
                    .ok_or_else(|| needs("at", "temporal"))?
                    .read("at")?,
            },
            KindName::Rolling => {
                let windows = self.windows.ok_or_else(|| needs("windows", "rolling"))?;
                let horizon = self.horizon.as_ref().ok_or_else(|| needs("horizon", "rolling"))?;
                let horizon_ms = read_duration("horizon", horizon)?;
                let step = self.step.as_ref().map(|step| read_duration("step", step));
                let gap = self.gap.as_ref().map(|gap| read_duration("gap", gap));
                SplitKind::Rolling(Rolling {
                    windows,
                    horizon_ms,
                    step_ms: step.transpose()?.unwrap_or(horizon_ms),
                    gap_ms: gap.transpose()?.unwrap_or(0),
                    window: self.window.unwrap_or(windows),
                })
            }
        })
    }

    fn write(kind: SplitKind) -> (KindName, Self) {
        let none = Self::default();
        match kind {
            SplitKind::Given => (KindName::Given, none),
            SplitKind::Random { fraction } => {
                let fraction = Some(fraction);
                (KindName::Random, Self { fraction, ..none })
            }
            SplitKind::LeaveLast { n, since } => {
                let (n, since) = (Some(n), since.map(MomentText::write));
                (KindName::LeaveLast, Self { n, since, ..none })
            }
            SplitKind::Temporal { at } => {
                let at = Some(MomentText::write(at));
                (KindName::Temporal, Self { at, ..none })
            }
            SplitKind::Rolling(rolling) => {
                let keys = Self {
                    windows: Some(rolling.windows),
                    horizon: Some(write_millis(rolling.horizon_ms)),
                    step: Some(write_millis(rolling.step_ms)),
                    gap: (rolling.gap_ms > 0).then(|| write_millis(rolling.gap_ms)),
                    window: Some(rolling.window),
                    ..none
                };
                (KindName::Rolling, keys)
            }
        }
    }
}

impl TryFrom<Table> for SplitConfig {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let validation = table.validation.map(|table| {
            let keys = Keys {
                fraction: table.fraction,
                n: table.n,
                at: table.at,
                since: table.since,
                ..Keys::default()
            };
            if table.kind == KindName::Rolling {
                return Err("validation: must be random, leave-last or temporal".to_owned());
            }
            keys.read(table.kind)
                .map_err(|reason| format!("validation: {reason}"))
        });
        let keys = Keys {
            fraction: table.fraction,
            n: table.n,
            at: table.at,
            since: table.since,
            windows: table.windows,
            horizon: table.horizon,
            step: table.step,
            gap: table.gap,
            window: table.window,
        };
        Ok(Self {
            kind: keys.read(table.kind)?,
            validation: validation.transpose()?,
            refit: table.refit,
        })
    }
}

impl From<SplitConfig> for Table {
    fn from(config: SplitConfig) -> Self {
        let (kind, keys) = Keys::write(config.kind);
        let validation = config.validation.map(|kind| {
            let (kind, keys) = Keys::write(kind);
            ValidationTable {
                kind,
                fraction: keys.fraction,
                n: keys.n,
                at: keys.at,
                since: keys.since,
            }
        });
        Self {
            kind,
            fraction: keys.fraction,
            n: keys.n,
            at: keys.at,
            since: keys.since,
            windows: keys.windows,
            horizon: keys.horizon,
            step: keys.step,
            gap: keys.gap,
            window: keys.window,
            validation,
            refit: config.refit,
        }
    }
}

fn read_duration(key: &str, text: &str) -> Result<i64, String> {
    parse_millis(text).ok_or_else(|| {
        format!("`{key}` = {text:?}: must be a whole number above 0 with ms, s, m, h or d, such as \"7d\"")
    })
}

fn read_time(key: &str, text: &str) -> Result<Time, String> {
    let moment: jiff::Timestamp = text.parse().map_err(|_| {
        format!(
            "`{key}` = {text:?}: must be a moment such as \"2020-06-01T00:00:00Z\", or a share such as 0.8"
        )
    })?;
    Ok(Time::from_millis(moment.as_millisecond()))
}

fn write_time(time: Time) -> String {
    let moment = jiff::Timestamp::from_millisecond(time.millis().unwrap_or_default());
    moment.unwrap_or_default().to_string()
}
