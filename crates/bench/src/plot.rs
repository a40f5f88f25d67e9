//! Line plots as SVG, with a logarithmic vertical axis.

use std::fmt::Write;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const COLOURS: [&str; 5] = ["#0b6e99", "#c4501b", "#4d7c2a", "#7a4fa3", "#555555"];

/// A line: its name and its points.
pub(crate) type Series = (String, Vec<(f64, f64)>);

/// Draws lines over an axis.
pub(crate) fn draw(title: &str, axis: &str, unit: &str, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|(_, points)| points.iter().copied());
    let (mut left, mut right) = (f64::MAX, f64::MIN);
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    for (x, y) in points() {
        (left, right) = (left.min(x), right.max(x));
        (low, high) = (low.min(y.max(0.01).log10().floor()), high.max(y.max(0.01).log10().ceil()));
    }
    if high <= low {
        high = low + 1.0;
    }
    let span = (right - left).max(1.0);
    let at_x = |x: f64| LEFT + (x - left) / span * (WIDTH - LEFT - RIGHT);
    let at_y = |y: f64| {
        HEIGHT - BOTTOM - (y.max(0.01).log10() - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"11\"><title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{title}</text>\n"
    );
    for power in low as i32..=high as i32 {
        let y = at_y(10f64.powi(power));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            10f64.powi(power),
        );
    }
    let mut ticks: Vec<i64> = points().map(|point| point.0 as i64).collect();
    ticks.sort_unstable();
    ticks.dedup();
    let every = ticks.len().div_ceil(10);
    for tick in ticks.into_iter().step_by(every.max(1)) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
            at_x(tick as f64),
            HEIGHT - BOTTOM + 16.0,
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{axis}</text>\
         <text x=\"14\" y=\"{:.1}\" transform=\"rotate(-90 14 {:.1})\" \
         text-anchor=\"middle\">{unit}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 8.0,
        HEIGHT / 2.0,
        HEIGHT / 2.0,
    );
    for (index, (name, points)) in series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|&(x, y)| format!("{:.1},{:.1}", at_x(x), at_y(y))).collect();
        let label = TOP + 14.0 * index as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            path.join(" "),
            WIDTH - RIGHT + 8.0,
            label + 4.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}
