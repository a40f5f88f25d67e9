//! How many different runs are there, and how much has not been seen? At every rung of the identity
//! ladder: distinct runs, their frequencies, and the Good-Turing estimate of the unseen mass.

use std::collections::BTreeMap;

use linchpin_record::TraceRun;
use maud::{PreEscaped, html};

use super::identity::RUNGS;

/// The runs of a campaign, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Census {
    /// Runs counted.
    pub runs: usize,
    /// One per rung, in the order of [`RUNGS`].
    pub rungs: Vec<Rung>,
}

/// The runs at one rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// The rung's name.
    pub name: &'static str,
    /// How often each distinct run was seen, the commonest first.
    pub frequencies: Vec<usize>,
    /// The first run of the commonest kind.
    pub commonest: u64,
    /// The probability that the next run is one never seen.
    pub unseen: Unseen,
}

/// An estimate of the unseen mass, with an interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unseen {
    /// Good-Turing: the share of runs seen once.
    pub mass: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Unseen {
    /// Good, "The population frequencies of species", Biometrika 1953, with the normal interval of
    /// Esty, Annals of Statistics 11(3), 1983: variance (f1 (1 - f1/n) + 2 f2) / n². Where nothing
    /// was seen once or twice, that is 0, and the upper end is the rule of three, 3/n.
    #[must_use]
    pub fn of(frequencies: &[usize]) -> Self {
        let runs = frequencies.iter().sum::<usize>() as f64;
        let seen =
            |times: usize| frequencies.iter().filter(|count| **count == times).count() as f64;
        if runs == 0.0 {
            return Self { mass: 1.0, low: 0.0, high: 1.0 };
        }
        let (once, twice) = (seen(1), seen(2));
        let mass = once / runs;
        let deviation = (once * (1.0 - mass) + 2.0 * twice).sqrt() / runs;
        let half = 1.96 * deviation;
        let three = (3.0 / runs).min(1.0);
        Self {
            mass,
            low: if mass == 1.0 { (1.0 - three).max(0.0) } else { (mass - half).max(0.0) },
            high: if mass == 0.0 { three } else { (mass + half).min(1.0) },
        }
    }
}

impl Census {
    /// Counts runs. Those that ended before they were complete (interrupted, not ready) count too:
    /// they are how the system behaves.
    #[must_use]
    pub fn new(runs: &[TraceRun]) -> Self {
        let rungs = RUNGS
            .iter()
            .map(|(name, _)| {
                let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
                for run in runs {
                    let digest = run.identity.get(*name).map_or("", String::as_str);
                    kinds.entry(digest).or_insert((0, run.run)).0 += 1;
                }
                let mut counted: Vec<(usize, u64)> = kinds.into_values().collect();
                counted.sort_by_key(|(count, first)| (std::cmp::Reverse(*count), *first));
                let frequencies: Vec<usize> = counted.iter().map(|(count, _)| *count).collect();
                Rung {
                    name,
                    commonest: counted.first().map_or(0, |(_, first)| *first),
                    unseen: Unseen::of(&frequencies),
                    frequencies,
                }
            })
            .collect();
        Self { runs: runs.len(), rungs }
    }

    /// A table for the terminal.
    #[must_use]
    pub fn text(&self, ascii: bool) -> String {
        let dash = if ascii { "-" } else { "–" };
        let mut out = format!(
            "{} runs\n  {:<10}{:>9}{:>11}   {:<20}tells apart\n",
            self.runs, "rung", "distinct", "commonest", "unseen mass (95 %)"
        );
        for (rung, (_, meaning)) in self.rungs.iter().zip(RUNGS) {
            let share = rung.frequencies.first().map_or(0.0, |count| *count as f64)
                / self.runs.max(1) as f64;
            let unseen = rung.unseen;
            let interval =
                format!("{:.3} ({:.3}{dash}{:.3})", unseen.mass, unseen.low, unseen.high);
            out.push_str(&format!(
                "  {:<10}{:>9}{:>9.0} %   {interval:<20}{meaning}\n",
                rung.name,
                rung.frequencies.len(),
                share * 100.0,
            ));
        }
        out
    }

    /// The frequencies as a picture: a row of bars per rung, the commonest run first.
    #[must_use]
    pub fn svg(&self) -> String {
        const WIDTH: f64 = 720.0;
        const LEFT: f64 = 130.0;
        const RIGHT: f64 = 150.0;
        const ROW: f64 = 74.0;
        const BAR: f64 = 50.0;
        let height = 30.0 + ROW * self.rungs.len() as f64;
        let room = WIDTH - LEFT - RIGHT;
        let drawing = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH:.0} {height:.0}"))
                width=(format!("{WIDTH:.0}")) height=(format!("{height:.0}")) {
                style { (PreEscaped("text{font:12px 'DejaVu Sans',sans-serif;fill:#1d2330}.faint{fill:#667085}.bar{fill:#5b6ccf}.axis{stroke:#98a2b3}.name{font-weight:bold}")) }
                rect width="100%" height="100%" fill="#fff" {}
                text.faint x=(LEFT) y="18" { "how often each distinct run was seen, in " (self.runs) " runs" }
                @for (index, rung) in self.rungs.iter().enumerate() {
                    @let bottom = 30.0 + ROW * index as f64 + BAR + 6.0;
                    @let wide = (room / rung.frequencies.len().max(1) as f64).min(40.0);
                    @let most = rung.frequencies.first().copied().unwrap_or(1).max(1) as f64;
                    text.name x=(LEFT - 12.0) y=(bottom - 22.0) text-anchor="end" { (rung.name) }
                    text.faint x=(LEFT - 12.0) y=(bottom - 6.0) text-anchor="end" { (rung.frequencies.len()) " distinct" }
                    line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(bottom) y2=(bottom) {}
                    @for (place, count) in rung.frequencies.iter().enumerate() {
                        @let tall = BAR * *count as f64 / most;
                        rect.bar x=(format!("{:.2}", LEFT + wide * place as f64))
                            y=(format!("{:.2}", bottom - tall)) width=(format!("{:.2}", (wide * 0.86).max(0.4)))
                            height=(format!("{tall:.2}")) { title { (count) " runs" } }
                    }
                    text.faint x=(WIDTH - RIGHT + 10.0) y=(bottom - 22.0) { "commonest: " (most) " x" }
                    text.faint x=(WIDTH - RIGHT + 10.0) y=(bottom - 6.0) { "unseen: " (format!("{:.3}", rung.unseen.mass)) }
                }
            }
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", drawing.into_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Unseen;

    #[test]
    fn the_unseen_mass_is_the_share_of_what_was_seen_once() {
        let unseen = Unseen::of(&[10, 5, 2, 1, 1, 1]);
        assert!((unseen.mass - 0.15).abs() < 1e-12);
        // sqrt(3 * 0.85 + 2) / 20 * 1.96
        assert!((unseen.high - 0.15 - 1.96 * 4.55_f64.sqrt() / 20.0).abs() < 1e-12);
        assert!(unseen.low < unseen.mass && unseen.low >= 0.0);
        let none = Unseen::of(&[200]);
        assert_eq!((none.mass, none.low, none.high), (0.0, 0.0, 3.0 / 200.0));
        let all = Unseen::of(&[1; 200]);
        assert_eq!((all.mass, all.high), (1.0, 1.0));
        assert!((all.low - (1.0 - 3.0 / 200.0)).abs() < 1e-12);
        assert_eq!(Unseen::of(&[]).high, 1.0);
    }
}
