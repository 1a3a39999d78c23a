//! Just enough of a chart: axes, dots, lines and bars as SVG that is readable on light and dark pages.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 56.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.small{font-size:12px}\
.grid{stroke:#d0d7de;stroke-width:1}.axis{stroke:#57606a;stroke-width:1}\
.line{fill:none;stroke-width:2}.a{stroke:#0b63c5;fill:#0b63c5}.b{stroke:#c2410c;fill:#c2410c}.c{stroke:#15803d;fill:#15803d}\
.line.a,.line.b,.line.c{fill:none}text.a,text.b,text.c{stroke:none}\
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round;font-weight:600}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}.axis{stroke:#8b949e}\
.a{stroke:#6cb6ff;fill:#6cb6ff}.b{stroke:#ff9b5e;fill:#ff9b5e}.c{stroke:#5fd38d;fill:#5fd38d}.halo{stroke:#0d1117}}";

/// From numbers to places on the paper.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_log: bool,
    pub(crate) label: &'static str,
}

impl Axis {
    pub(crate) fn linear(from: f64, to: f64, label: &'static str) -> Self {
        Self {
            from,
            to,
            is_log: false,
            label,
        }
    }

    pub(crate) fn log(from: f64, to: f64, label: &'static str) -> Self {
        Self {
            from,
            to,
            is_log: true,
            label,
        }
    }

    /// 0 to 1.
    fn place(self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_log { value.log10() } else { value };
        (scaled(value) - scaled(self.from)) / (scaled(self.to) - scaled(self.from))
    }

    /// Round values inside, with their words.
    fn ticks(self) -> Vec<(f64, String)> {
        if self.is_log {
            let powers = (-9..10).map(|power| 10f64.powi(power));
            return powers
                .filter(|value| (self.from..=self.to).contains(value))
                .map(|value| (value, number(value)))
                .collect();
        }
        let rough = (self.to - self.from) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let mut ticks = Vec::new();
        let mut value = (self.from / step).ceil() * step;
        while value <= self.to + 1e-9 {
            ticks.push((value, number(value)));
            value += step;
        }
        ticks
    }
}

fn number(value: f64) -> String {
    // Minus zero is zero.
    let rounded = format!("{:.4}", if value.abs() < 1e-9 { 0.0 } else { value });
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    match short.strip_suffix("000") {
        Some(thousands) if !short.contains('.') => format!("{thousands},000"),
        _ => short.to_owned(),
    }
}

/// A picture in the making.
pub(crate) struct Chart {
    svg: String,
    x: Axis,
    y: Axis,
}

impl Chart {
    /// `named_x` replaces the numbers below the horizontal axis.
    pub(crate) fn new(title: &str, x: Axis, y: Axis, named_x: Option<Vec<(f64, String)>>) -> Self {
        let mut chart = Self {
            svg: String::new(),
            x,
            y,
        };
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        chart.add(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\
             <title>{title}</title><style>{STYLE}</style><text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>"
        ));
        for (value, word) in y.ticks() {
            let at = chart.vertical(value);
            chart.add(format_args!(
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>"
            ));
            let (left, at) = (LEFT - 8.0, at + 4.5);
            chart.add(format_args!(
                "<text text-anchor=\"end\" x=\"{left}\" y=\"{at:.1}\">{word}</text>"
            ));
        }
        for (value, word) in named_x.unwrap_or_else(|| x.ticks()) {
            let at = chart.horizontal(value);
            chart.add(format_args!("<path class=\"axis\" d=\"M{at:.1} {bottom}v5\"/>"));
            let below = bottom + 20.0;
            chart.add(format_args!(
                "<text text-anchor=\"middle\" x=\"{at:.1}\" y=\"{below}\">{word}</text>"
            ));
        }
        chart.add(format_args!(
            "<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>"
        ));
        let (middle, below) = (f64::midpoint(LEFT, right), HEIGHT - 14.0);
        chart.add(format_args!(
            "<text text-anchor=\"middle\" x=\"{middle}\" y=\"{below}\">{}</text>",
            x.label
        ));
        let middle = f64::midpoint(TOP, bottom);
        chart.add(format_args!(
            "<text text-anchor=\"middle\" transform=\"translate(18 {middle}) rotate(-90)\">{}</text>",
            y.label
        ));
        chart
    }

    pub(crate) fn dots(&mut self, class: &str, points: &[(f64, f64)]) {
        for &(x, y) in points {
            let (x, y) = (self.horizontal(x), self.vertical(y));
            self.add(format_args!(
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\"/>"
            ));
        }
    }

    /// In a colour of its own, small.
    pub(crate) fn coloured_dots(&mut self, hue: f64, points: &[(f64, f64)]) {
        self.add(format_args!("<g fill=\"hsl({hue:.0} 65% 52%)\">"));
        for &(x, y) in points {
            let (x, y) = (self.horizontal(x), self.vertical(y));
            self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"));
        }
        self.add(format_args!("</g>"));
    }

    pub(crate) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (place, &(x, y)) in points.iter().enumerate() {
            let letter = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{letter}{:.1} {:.1}", self.horizontal(x), self.vertical(y));
        }
        self.add(format_args!("<path class=\"line {class}\" d=\"{path}\"/>"));
    }

    pub(crate) fn bars(&mut self, class: &str, width: f64, points: &[(f64, f64)]) {
        for &(x, y) in points {
            let (left, right) = (self.horizontal(x - width / 2.0), self.horizontal(x + width / 2.0));
            let (top, bottom) = (self.vertical(y), HEIGHT - BOTTOM);
            let (width, height) = (right - left, bottom - top);
            self.add(format_args!(
                "<rect class=\"{class}\" stroke=\"none\" style=\"stroke:none\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            ));
        }
    }

    /// Words at a place, beginning (`start`), centred (`middle`) or ending (`end`) there.
    pub(crate) fn words(&mut self, class: &str, anchor: &str, (x, y): (f64, f64), words: &str) {
        let (x, y) = (self.horizontal(x), self.vertical(y));
        self.add(format_args!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
        ));
    }

    pub(crate) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn horizontal(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn vertical(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.svg, "{text}");
    }
}
