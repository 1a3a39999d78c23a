//! A search over settings as one HTML file: how it went, trial by trial, and what each setting did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Result, Write};

use serde::{Deserialize, Serialize};

use super::curves::{Axes, HEIGHT, WIDTH, digits, round_up, rounded, short};
use super::escape::Text;
use super::page;

/// All that the page of a search shows: plain data, as a [`RunReport`](super::RunReport) is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchReport {
    /// What was searched.
    pub name: String,
    /// The list that was judged.
    pub list: String,
    /// By which metric; more is better.
    pub metric: String,
    /// On which part of the data.
    pub part: String,
    /// The trials, in the order in which they were tried; the first is what there was before.
    pub trials: Vec<SearchTrial>,
}

/// One trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchTrial {
    /// Its number.
    pub number: usize,
    /// Its settings, by name; those that it has not are as before.
    pub settings: BTreeMap<String, SearchSetting>,
    /// How it came out, in words: `finished`.
    pub outcome: String,
    /// What the metric was; `None` of one that was not finished.
    pub value: Option<f64>,
    /// What was seen on the way: after which share of the training, and what the metric was.
    pub looks: Vec<(f64, f64)>,
}

/// What a setting was.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SearchSetting {
    /// A number, which has a place on an axis.
    Number(f64),
    /// Anything else, as it is written.
    Word(String),
}

impl std::fmt::Display for SearchSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Beyond this ratio numbers are shown by their logarithm.
const WIDE: f64 = 20.0;

impl SearchReport {
    /// The whole page.
    pub fn to_html(&self) -> String {
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut page);
        page
    }

    /// What the search comes to.
    pub fn verdict(&self) -> String {
        let Some((best, value)) = self.best() else {
            return "No trial came to its end.".to_owned();
        };
        let before = self.trials.first().filter(|first| first.settings.is_empty());
        let before = before.and_then(|first| first.value);
        let n = self.finished().count();
        match before {
            _ if best.settings.is_empty() => format!(
                "Of {n} trials that were finished none is better than what there was before: {} {value:.4}.",
                self.metric
            ),
            Some(before) => format!(
                "The best of {n} trials that were finished, number {}, has {} {value:.4}; before it was {before:.4}.",
                best.number, self.metric
            ),
            None => format!(
                "The best of {n} trials that were finished, number {}, has {} {value:.4}.",
                best.number, self.metric
            ),
        }
    }

    fn finished(&self) -> impl Iterator<Item = (&SearchTrial, f64)> {
        let finite = |trial| {
            let trial: &SearchTrial = trial;
            Some((trial, trial.value.filter(|value| value.is_finite())?))
        };
        self.trials.iter().filter_map(finite)
    }

    /// The first of the best.
    fn best(&self) -> Option<(&SearchTrial, f64)> {
        self.finished()
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    fn names(&self) -> BTreeSet<&String> {
        self.trials
            .iter()
            .flat_map(|trial| trial.settings.keys())
            .collect()
    }

    fn write(&self, page: &mut String) -> Result {
        page::open(page, &self.name, "search", &self.verdict())?;
        writeln!(
            page,
            "<p class=\"quiet\">{} of the list “{}” on the {} part, which the settings are chosen on: the best of many looks better than it is.</p>\n</header>",
            Text(&self.metric),
            Text(&self.list),
            Text(&self.part)
        )?;
        if self.best().is_some() {
            page.write_str("<section>\n<h2>Trial by trial</h2>\n<div class=\"grid\">\n")?;
            self.by_trial(page)?;
            self.on_the_way(page)?;
            page.write_str("</div>\n</section>\n<section>\n<h2>What each setting did</h2>\n<p>Each point is a trial; all other settings differ as \
                            well.</p>\n<div class=\"grid\">\n")?;
            for (number, name) in self.names().into_iter().enumerate() {
                self.by_setting(page, number, name)?;
            }
            page.write_str("</div>\n</section>\n")?;
        }
        self.table(page)?;
        page::close(page)
    }

    /// Axes over the values of all finished trials, and the lowest of them.
    fn axes(&self, x: [f64; 2], further: impl Iterator<Item = f64>) -> (Axes, f64) {
        let values: Vec<f64> = self.finished().map(|(_, value)| value).chain(further).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // From zero where little would be lost by it, or where all are the same.
        let is_near = low > 0.0 && (low < high - low || high <= low);
        let low = if is_near { 0.0 } else { low };
        let y_max = round_up(if high > low { high - low } else { high.abs() });
        (Axes { x, y_max }, low)
    }

    fn begin(&self, page: &mut String, id: &str, caption: &str, described: &str) -> Result {
        write!(
            page,
            "<figure><figcaption>{0} {1}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}t \
             {id}d\"><title id=\"{id}t\">{0} {1}</title><desc id=\"{id}d\">{2}</desc>",
            Text(&self.metric),
            Text(caption),
            Text(described)
        )
    }

    fn by_trial(&self, page: &mut String) -> Result {
        let last = self.trials.last().map_or(0, |trial| trial.number);
        let (axes, low) = self.axes([0.0, last.max(1) as f64], std::iter::empty());
        self.begin(
            page,
            "trials",
            "of each trial, and the best until then",
            &self.verdict(),
        )?;
        let ticks = [(0.0, "0".to_owned()), (last as f64, last.to_string())];
        axes.frame_from(page, low, &ticks, "trial")?;
        let mut path = String::new();
        let mut best = f64::NEG_INFINITY;
        for (trial, value) in self.finished() {
            if value > best {
                let step = if path.is_empty() { 'M' } else { 'H' };
                let (x, y) = (axes.x(trial.number as f64), axes.y(value - low));
                if step == 'M' {
                    write!(path, "M{x:.1} {y:.1}")?;
                } else {
                    write!(path, "H{x:.1}V{y:.1}")?;
                }
                best = value;
            }
        }
        write!(
            page,
            "<g class=\"c1\"><path class=\"curve\" d=\"{path}H{:.1}\"/></g>",
            axes.x(last as f64)
        )?;
        self.points(page, &axes, low, |trial| Some(trial.number as f64))
    }

    /// A point of each finished trial, the best in another colour, and the end of the figure.
    fn points(
        &self,
        page: &mut String,
        axes: &Axes,
        low: f64,
        x: impl Fn(&SearchTrial) -> Option<f64>,
    ) -> Result {
        let best = self.best().map(|(best, _)| best.number);
        for (trial, value) in self.finished() {
            let Some(x) = x(trial) else { continue };
            let is_best = Some(trial.number) == best;
            let (colour, radius) = if is_best { ("c1", 5.5) } else { ("c0", 3.5) };
            write!(
                page,
                "<g class=\"{colour}\"><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\"><title>trial {}: {value:.4}</title></circle></g>",
                axes.x(x),
                axes.y(value - low),
                trial.number
            )?;
        }
        page.write_str("</svg></figure>\n")
    }

    /// Lines of what was seen while trials were trained.
    fn on_the_way(&self, page: &mut String) -> Result {
        let seen = self.trials.iter().filter(|trial| trial.looks.len() > 1);
        let seen: Vec<&SearchTrial> = seen.collect();
        if seen.is_empty() {
            return Ok(());
        }
        let looks = seen
            .iter()
            .flat_map(|trial| trial.looks.iter().map(|&(_, value)| value));
        let (axes, low) = self.axes([0.0, 1.0], looks);
        let best = self.best().map(|(best, _)| best.number);
        let described = format!("{} trials; those that end before 100 % were stopped", seen.len());
        self.begin(page, "way", "while a trial was trained", &described)?;
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, format!("{:.0}", 100.0 * share)));
        axes.frame_from(page, low, &ticks, "% of the passes")?;
        // The best last, above the others.
        let others = seen.iter().filter(|trial| Some(trial.number) != best);
        let bests = seen.iter().filter(|trial| Some(trial.number) == best);
        for trial in others.chain(bests) {
            let points: Vec<String> = trial
                .looks
                .iter()
                .map(|&(share, value)| format!("{:.1} {:.1}", axes.x(share), axes.y(value - low)))
                .collect();
            let (colour, opacity) = if Some(trial.number) == best {
                ("c1", 1.0)
            } else {
                ("c0", 0.45)
            };
            write!(
                page,
                "<g class=\"{colour}\"><path class=\"curve\" stroke-opacity=\"{opacity}\" d=\"M{}\"><title>trial {}</title></path></g>",
                points.join("L"),
                trial.number
            )?;
        }
        page.write_str("</svg></figure>\n")
    }

    fn by_setting(&self, page: &mut String, number: usize, name: &str) -> Result {
        let mut values: Vec<&SearchSetting> = self
            .finished()
            .filter_map(|(trial, _)| trial.settings.get(name))
            .collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        values.dedup();
        let numbers: Option<Vec<f64>> = values
            .iter()
            .map(|value| match value {
                SearchSetting::Number(number) if number.is_finite() => Some(*number),
                _ => None,
            })
            .collect();
        let id = format!("setting{number}");
        let caption = format!("by {name}");
        let described = format!("{} values were tried to the end", values.len());
        self.begin(page, &id, &caption, &described)?;
        if let Some([low, .., high]) = numbers.as_deref() {
            let is_wide = *low > 0.0 && high / low >= WIDE;
            let scale = |value: f64| if is_wide { value.ln() } else { value };
            let (axes, lowest) = self.axes([scale(*low), scale(*high)], std::iter::empty());
            let ticks = [*low, *high].map(|value| {
                let shown = if is_wide {
                    brief(value)
                } else {
                    rounded(value, digits((high - low) / 10.0))
                };
                (scale(value), shown)
            });
            axes.frame_from(page, lowest, &ticks, if is_wide { "(log)" } else { "" })?;
            return self.points(page, &axes, lowest, |trial| match trial.settings.get(name)? {
                SearchSetting::Number(value) => Some(scale(*value)),
                SearchSetting::Word(_) => None,
            });
        }
        let (axes, lowest) = self.axes([-0.5, values.len() as f64 - 0.5], std::iter::empty());
        let words: Vec<String> = values.iter().map(ToString::to_string).collect();
        let most = (44 / words.len().max(1)).max(3);
        // Long ones from where they differ.
        let common = if words.iter().any(|word| word.chars().count() > most) {
            common_start(&words)
        } else {
            0
        };
        let ticks: Vec<(f64, String)> = (0_u32..)
            .zip(&words)
            .map(|(place, word)| {
                let rest: Vec<char> = word.chars().skip(common).collect();
                let shown: String = rest.iter().take(most).collect();
                let (before, after) = (common > 0, rest.len() > most);
                let dots = |is_there| if is_there { "…" } else { "" };
                let shown = format!("{}{shown}{}", dots(before), dots(after));
                (f64::from(place), Text(&shown).to_string())
            })
            .collect();
        axes.frame_from(page, lowest, &ticks, "")?;
        self.points(page, &axes, lowest, |trial| {
            let word = trial.settings.get(name)?.to_string();
            Some(words.iter().position(|known| *known == word)? as f64)
        })
    }

    fn table(&self, page: &mut String) -> Result {
        let names = self.names();
        write!(
            page,
            "<section>\n<h2>All trials, the best first</h2>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">trial</th><th \
             scope=\"col\">{}</th><th scope=\"col\">outcome</th>",
            Text(&self.metric)
        )?;
        for name in &names {
            write!(page, "<th scope=\"col\">{}</th>", Text(name))?;
        }
        page.write_str("</tr></thead>\n<tbody>\n")?;
        let mut trials: Vec<&SearchTrial> = self.trials.iter().collect();
        let value = |trial: &SearchTrial| trial.value.unwrap_or(f64::NEG_INFINITY);
        trials.sort_by(|a, b| value(b).total_cmp(&value(a)));
        for trial in trials {
            let shown = trial.value.map_or("–".to_owned(), |value| format!("{value:.4}"));
            write!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{shown}</td><td>{}</td>",
                trial.number,
                Text(&trial.outcome)
            )?;
            for name in &names {
                let setting = trial.settings.get(*name);
                let setting = setting.map_or("(as before)".to_owned(), ToString::to_string);
                write!(page, "<td>{}</td>", Text(&setting))?;
            }
            page.write_str("</tr>\n")?;
        }
        page.write_str("</tbody>\n</table>\n</div>\n</section>\n")
    }
}

/// How many characters all of several words begin with.
fn common_start(words: &[String]) -> usize {
    let Some((first, others)) = words.split_first().filter(|(_, others)| !others.is_empty()) else {
        return 0;
    };
    let same = |other: &String| {
        first
            .chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    others.iter().map(same).min().unwrap_or(0)
}

/// A number on an axis, also a small one.
fn brief(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 {
        format!("{value:.1e}")
    } else {
        short(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> SearchReport {
        let trial = |number: usize, rate: f64, kind: &str, value: Option<f64>| SearchTrial {
            number,
            settings: if number == 0 {
                BTreeMap::new()
            } else {
                BTreeMap::from([
                    ("rate".to_owned(), SearchSetting::Number(rate)),
                    ("kind".to_owned(), SearchSetting::Word(kind.to_owned())),
                ])
            },
            outcome: if value.is_some() {
                "finished"
            } else {
                "stopped early"
            }
            .to_owned(),
            value,
            looks: vec![(0.5, 0.1), (1.0, 0.2)],
        };
        SearchReport {
            name: "a <b> shop".to_owned(),
            list: "ials".to_owned(),
            metric: "recall@20".to_owned(),
            part: "validation".to_owned(),
            trials: vec![
                trial(0, 0.0, "", Some(0.2)),
                trial(1, 1e-4, "<snake>", Some(0.25)),
                trial(2, 1e-1, "rrf", Some(0.31)),
                trial(3, 1e-2, "rrf", None),
                trial(4, 1e-3, "rrf", Some(0.22)),
            ],
        }
    }

    #[test]
    fn the_page_shows_every_trial_and_every_setting() {
        let found = report();
        let page = found.to_html();
        assert_eq!(
            found.verdict(),
            "The best of 4 trials that were finished, number 2, has recall@20 0.3100; before it was 0.2000."
        );
        assert!(page.contains("a &lt;b&gt; shop") && !page.contains("<b>") && !page.contains("<snake>"));
        // Two figures of trials, and one for each setting; four trials were finished, three of them with settings.
        assert_eq!(page.matches("<figure>").count(), 4);
        assert_eq!(page.matches("<circle").count(), 4 + 3 + 3);
        assert_eq!(page.matches("<tr><th scope=\"row\">").count(), 5);
        // From 1e-4 to 1e-1 evenly by the logarithm: 1e-3 stands at a third of the way.
        let by_rate = page.rsplit("recall@20 by rate").next().expect("a figure");
        let place = |trial: usize| -> f64 {
            let end = format!("<title>trial {trial}:");
            let circle = by_rate.split(&end).next().expect("before it");
            let cx = circle.rsplit("cx=\"").next().expect("a place");
            cx.split('"')
                .next()
                .and_then(|cx| cx.parse().ok())
                .expect("a number")
        };
        assert!((place(4) - place(1) - (place(2) - place(1)) / 3.0).abs() < 0.2);
        // The best first.
        let order: Vec<usize> = ["2", "1", "4", "0", "3"]
            .iter()
            .map(|trial| {
                page.find(&format!("<tr><th scope=\"row\">{trial}<"))
                    .expect("a row")
            })
            .collect();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn a_search_without_an_end_has_a_page_as_well() {
        let mut found = report();
        found.trials.truncate(4);
        for trial in &mut found.trials {
            trial.value = None;
        }
        let page = found.to_html();
        assert!(page.contains("No trial came to its end") && !page.contains("<figure>"));
        assert!(!SearchReport::default().to_html().contains("NaN"));
        // Only one, all the same, and close ones, which the axis tells apart.
        found.trials[1].value = Some(0.0);
        assert!(!found.to_html().contains("NaN"));
        for (trial, value) in found.trials.iter_mut().zip([0.25, 0.25, 0.25, 0.25]) {
            trial.value = Some(value);
        }
        let page = found.to_html();
        assert!(!page.contains("NaN") && page.contains(">0.08</text>"), "{page}");
        for (trial, value) in found.trials.iter_mut().zip([0.2616, 0.2622, 0.2631, 0.2645]) {
            trial.value = Some(value);
            trial.looks.clear();
        }
        let page = found.to_html();
        for tick in ["0.2616", "0.2624", "0.2632", "0.264", "0.2648"] {
            assert!(page.contains(&format!(">{tick}</text>")), "{tick}: {page}");
        }
        let words = ["{ kind = \"rrf\", k = 10 }", "{ kind = \"rrf\", k = 60 }"].map(str::to_owned);
        assert_eq!(common_start(&words), 20);
    }
}
