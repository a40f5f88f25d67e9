//! A space-time diagram in characters: a column per node, time downwards.
//!
//! A time step is one line of marks on the nodes, and one line per sender and direction for what
//! it sends. Steps that look like the one before are folded.

use unicode_width::UnicodeWidthStr;

use super::{Ink, Style, visible};
use crate::spacetime::{Arrow, SpaceTime};
use crate::text;

/// The characters of a drawing.
struct Marks {
    line: char,
    crashed_line: char,
    alive: char,
    crash: char,
    recovery: char,
    input: char,
    across: char,
    late: char,
    turn: [char; 2],
    waits: char,
    arrival: [char; 2],
    lost: char,
    right: char,
    left: char,
    yes: char,
    no: char,
}

const UNICODE: Marks = Marks {
    line: '│',
    crashed_line: '┊',
    alive: '●',
    crash: '╳',
    recovery: '◉',
    input: '◆',
    across: '─',
    late: '╌',
    turn: ['╮', '╭'],
    waits: '╎',
    arrival: ['╰', '╯'],
    lost: '✗',
    right: '▶',
    left: '◀',
    yes: '✓',
    no: '✗',
};

const ASCII: Marks = Marks {
    line: '|',
    crashed_line: ':',
    alive: 'o',
    crash: 'X',
    recovery: '@',
    input: '#',
    across: '-',
    late: '~',
    turn: ['.', '.'],
    waits: ';',
    arrival: ['`', '\''],
    lost: 'x',
    right: '>',
    left: '<',
    yes: '+',
    no: '!',
};

const GUTTER: usize = 6;
const COLUMN_MAX: usize = 22;
const COLUMN_MIN: usize = 5;

/// Draws a run. `names` are the relations of the invariant: what is asked for (if the invariant
/// has one) and what answers it. Ends with a line break.
#[must_use]
pub fn diagram(spacetime: &SpaceTime, names: (Option<&str>, &str), style: Style) -> String {
    Drawing::new(spacetime, names, style).draw()
}

struct Drawing<'a> {
    spacetime: &'a SpaceTime,
    names: (Option<&'a str>, &'a str),
    style: Style,
    marks: &'static Marks,
    column: usize,
    notes: usize,
}

/// One line: characters with what they are, and a note on the right.
struct Line {
    cells: Vec<(char, Option<Ink>)>,
    note: String,
}

impl<'a> Drawing<'a> {
    fn new(spacetime: &'a SpaceTime, names: (Option<&'a str>, &'a str), style: Style) -> Self {
        let count = spacetime.nodes.len().max(1);
        let width = style.width();
        let notes_min = (width / 3).min(34);
        let column =
            (width.saturating_sub(GUTTER + notes_min) / count).clamp(COLUMN_MIN, COLUMN_MAX);
        let notes = width.saturating_sub(GUTTER + column * count + 1).max(12);
        let marks = if style.ascii { &ASCII } else { &UNICODE };
        Self { spacetime, names, style, marks, column, notes }
    }

    fn centre(&self, column: usize) -> usize {
        GUTTER + column * self.column + self.column / 2
    }

    fn draw(&self) -> String {
        let mut out = self.heading();
        let mut folded: Option<(u32, u32)> = None;
        let mut previous: Option<String> = None;
        for time in 1..=self.spacetime.eot() {
            let body = self.step(time);
            let may_fold = time < self.spacetime.eot() && !self.crashes_at(time);
            if may_fold && previous.as_ref() == Some(&body) {
                let first = folded.map_or(time, |(first, _)| first);
                folded = Some((first, time));
                continue;
            }
            self.fold(&mut out, folded.take());
            out.push_str(&self.label(time));
            out.push_str(&body);
            previous = Some(body);
        }
        self.fold(&mut out, folded);
        out.push_str(&self.legend());
        out
    }

    fn label(&self, time: u32) -> String {
        format!("{time:>4}  ")
    }

    fn fold(&self, out: &mut String, folded: Option<(u32, u32)>) {
        let Some((first, last)) = folded else { return };
        let range = if first == last { format!("{first}") } else { format!("{first} to {last}") };
        let dots = if self.style.ascii { "..." } else { "⋮" };
        let line = format!("{dots:>4}  time {range}: the same again");
        out.push_str(&self.style.paint(Ink::Faint, &line));
        out.push('\n');
    }

    fn heading(&self) -> String {
        let mut line = format!("{:<GUTTER$}", "time");
        let mut position = GUTTER;
        for (index, node) in self.spacetime.nodes.iter().enumerate() {
            let name = fit(&visible(node), self.column - 1);
            let start = (self.centre(index) + 1).saturating_sub(name.width().div_ceil(2));
            line.push_str(&" ".repeat(start.saturating_sub(position)));
            position = start.max(position) + name.width();
            line.push_str(&self.style.paint(Ink::Strong, &name));
        }
        line.push('\n');
        line
    }

    fn crashes_at(&self, time: u32) -> bool {
        self.spacetime.crashes.contains(&Some(time))
            || self.spacetime.recoveries.contains(&Some(time))
            || self.spacetime.inputs_at(time).next().is_some()
    }

    /// Everything about a time step but its label.
    fn step(&self, time: u32) -> String {
        let mut line = self.blank(time);
        for column in 0..self.spacetime.nodes.len() {
            let crashed = self.spacetime.is_crashed(column, time);
            let recovers = self.spacetime.recoveries[column] == Some(time);
            let mark = match self.spacetime.crashes[column] {
                _ if recovers => (self.marks.recovery, Some(Ink::Good)),
                Some(at) if at == time => (self.marks.crash, Some(Ink::Bad)),
                _ if crashed => (self.marks.crashed_line, Some(Ink::Faint)),
                _ => (self.marks.alive, None),
            };
            line.cells[self.centre(column)] = mark;
        }
        self.wait(&mut line, |arrow| {
            arrow.at < time && arrow.arrives.is_some_and(|arrives| arrives > time)
        });
        line.note = self.outcome_note(time);
        let mut out = self.finish(&line, true);
        for input in self.spacetime.inputs_at(time) {
            let mut line = self.blank(time);
            self.wait(&mut line, |arrow| arrow.at < time);
            if let Some(column) = input.column {
                let ink = if input.chosen { Ink::Bad } else { Ink::Strong };
                line.cells[self.centre(column)] = (self.marks.input, Some(ink));
            }
            let label = visible(&input.label);
            let name = label.split('(').next().unwrap_or(&label);
            let is_short = label.width() + "INPUT ".len() <= self.notes;
            line.note = format!("INPUT {}", if is_short { label.as_str() } else { name });
            out.push_str(&self.finish(&line, false));
        }
        let lines = self.lines_at(time);
        for (index, arrows) in lines.iter().enumerate() {
            // What was sent on an earlier line of this step is on its way already.
            let sent = |arrow: &Arrow| lines[..index].iter().flatten().any(|each| *each == arrow);
            out.push_str(&self.arrows_line(time, arrows, sent));
        }
        for arrow in self.arriving_after(time) {
            out.push_str(&self.arrival_line(time, arrow));
        }
        out
    }

    /// Late messages that arrive at the next time step.
    fn arriving_after(&self, time: u32) -> impl Iterator<Item = &'a Arrow> {
        let arrows = self.spacetime.arrows.iter();
        arrows.filter(move |arrow| arrow.is_late() && arrow.arrives == Some(time + 1))
    }

    /// Whether an arrow is drawn from left to right.
    fn is_rightwards(arrow: &Arrow) -> bool {
        arrow.from.is_none_or(|from| arrow.to > from)
    }

    /// Where a late message waits: beside its receiver.
    fn waiting_place(&self, arrow: &Arrow) -> usize {
        let centre = self.centre(arrow.to);
        if Self::is_rightwards(arrow) { centre - 2 } else { centre + 2 }
    }

    /// Marks every late message on its way, as long as it has not arrived.
    fn wait(&self, line: &mut Line, is_sent: impl Fn(&Arrow) -> bool) {
        for arrow in self.spacetime.arrows.iter().filter(|arrow| arrow.is_late() && is_sent(arrow))
        {
            let cell = &mut line.cells[self.waiting_place(arrow)];
            if cell.0 == ' ' {
                *cell = (self.marks.waits, Some(Ink::Bad));
            }
        }
    }

    /// A late message comes in.
    fn arrival_line(&self, time: u32, arrow: &Arrow) -> String {
        let mut line = self.blank(time);
        self.wait(&mut line, |other| {
            other.at <= time && other.arrives.is_some_and(|arrives| arrives > time + 1)
        });
        let (place, end) = (self.waiting_place(arrow), self.centre(arrow.to));
        let (turn, head, before) = if Self::is_rightwards(arrow) {
            (self.marks.arrival[0], self.marks.right, end - 1)
        } else {
            (self.marks.arrival[1], self.marks.left, end + 1)
        };
        line.cells[place] = (turn, Some(Ink::Bad));
        line.cells[before] = (head, Some(Ink::Good));
        let relations: Vec<String> = arrow.relations.iter().map(|each| visible(each)).collect();
        line.note = format!("LATE {} arrives", relations.join(", "));
        self.finish(&line, false)
    }

    fn blank(&self, time: u32) -> Line {
        let width = GUTTER + self.column * self.spacetime.nodes.len();
        let mut cells = vec![(' ', None); width];
        for column in 0..self.spacetime.nodes.len() {
            let crashed = self.spacetime.is_crashed(column, time);
            let mark = if crashed { self.marks.crashed_line } else { self.marks.line };
            cells[self.centre(column)] = (mark, Some(Ink::Faint));
        }
        Line { cells, note: String::new() }
    }

    /// Which of the invariant's relations hold.
    fn outcome_note(&self, time: u32) -> String {
        let step = &self.spacetime.steps[time as usize - 1];
        let (asked, answered) = self.names;
        let mark = |holds: bool| if holds { self.marks.yes } else { self.marks.no };
        match asked {
            Some(_) if step.asked == 0 && step.answered == 0 => String::new(),
            Some(asked) if step.asked == 0 => format!("{answered} {} no {asked}", self.marks.yes),
            Some(asked) => {
                format!("{asked} {} {answered} {}", self.marks.yes, mark(step.unanswered == 0))
            }
            None => format!("{answered} {}", mark(step.answered > 0)),
        }
    }

    /// Arrows drawn on one line: one sender, one direction, not to itself.
    fn lines_at(&self, time: u32) -> Vec<Vec<&'a Arrow>> {
        let mut lines: Vec<Vec<&Arrow>> = Vec::new();
        for arrow in self.spacetime.arrows_at(time).filter(|arrow| !arrow.is_to_itself()) {
            // What is late has a line of its own.
            let same = |line: &Vec<&Arrow>| {
                line[0].from == arrow.from
                    && !line[0].is_late()
                    && !arrow.is_late()
                    && Self::is_rightwards(line[0]) == Self::is_rightwards(arrow)
                    && !line.iter().any(|other| other.to == arrow.to)
            };
            match lines.iter_mut().find(|line| same(line)) {
                Some(line) => line.push(arrow),
                None => lines.push(vec![arrow]),
            }
        }
        lines
    }

    fn arrows_line(
        &self,
        time: u32,
        arrows: &[&Arrow],
        is_sent: impl Fn(&Arrow) -> bool,
    ) -> String {
        let mut line = self.blank(time);
        self.wait(&mut line, |arrow| {
            (arrow.at < time || is_sent(arrow))
                && arrow.arrives.is_some_and(|arrives| arrives > time)
        });
        let is_late = arrows[0].is_late();
        let start = arrows[0].from.map_or(GUTTER.saturating_sub(1), |from| self.centre(from));
        let mut ends: Vec<(usize, bool)> =
            arrows.iter().map(|arrow| (self.centre(arrow.to), arrow.lost_to.is_some())).collect();
        ends.sort_by_key(|(end, _)| end.abs_diff(start));
        let rightwards = ends[0].0 > start;
        let furthest = ends.last().expect("a line has arrows").0;
        let (low, high) = if rightwards { (start + 1, furthest) } else { (furthest + 1, start) };
        let centres: Vec<usize> =
            (0..self.spacetime.nodes.len()).map(|column| self.centre(column)).collect();
        let (across, ink) =
            if is_late { (self.marks.late, Some(Ink::Bad)) } else { (self.marks.across, None) };
        for cell in low..high {
            if !centres.contains(&cell) {
                line.cells[cell] = (across, ink);
            }
        }
        if is_late {
            let place = self.waiting_place(arrows[0]);
            let end = self.centre(arrows[0].to);
            line.cells[if rightwards { place + 1..end } else { end + 1..place }].fill((' ', None));
            line.cells[place] = (self.marks.turn[usize::from(!rightwards)], Some(Ink::Bad));
            ends.clear();
        }
        for (end, lost) in ends {
            let before = if rightwards { end - 1 } else { end + 1 };
            line.cells[before] = match (lost, rightwards) {
                (true, _) => (self.marks.lost, Some(Ink::Bad)),
                (false, true) => (self.marks.right, Some(Ink::Good)),
                (false, false) => (self.marks.left, Some(Ink::Good)),
            };
        }
        line.note = self.arrows_note(arrows);
        self.finish(&line, false)
    }

    /// `log`, `log LOST`, `log; LOST to c`.
    fn arrows_note(&self, arrows: &[&Arrow]) -> String {
        let mut relations: Vec<String> =
            arrows.iter().flat_map(|arrow| arrow.relations.iter().map(|r| visible(r))).collect();
        relations.sort();
        relations.dedup();
        let relations = relations.join(", ");
        let lost: Vec<String> = arrows
            .iter()
            .filter(|arrow| arrow.lost_to.is_some())
            .map(|arrow| visible(&self.spacetime.nodes[arrow.to]))
            .collect();
        if let (true, Some(arrives)) = (arrows[0].is_late(), arrows[0].arrives) {
            let when = match arrives <= self.spacetime.eot() {
                true => format!("until time {arrives}"),
                false => "beyond the end".to_owned(),
            };
            return format!("LATE {when}: {relations}");
        }
        let outside = if arrows[0].from.is_none() { " from outside" } else { "" };
        match lost.len() {
            0 => format!("{relations}{outside}"),
            all if all == arrows.len() => format!("LOST {relations}"),
            _ => format!("LOST to {}: {relations}", text::list(&lost, 3)),
        }
    }

    /// The line without its gutter if a label stands there.
    fn finish(&self, line: &Line, labelled: bool) -> String {
        let mut out = String::new();
        for (character, ink) in line.cells.iter().skip(if labelled { GUTTER } else { 0 }) {
            match ink {
                Some(ink) => out.push_str(&self.style.paint(*ink, &character.to_string())),
                None => out.push(*character),
            }
        }
        if line.note.is_empty() {
            out.truncate(out.trim_end().len());
        } else {
            out.push(' ');
            let note = fit(&line.note, self.notes);
            let is_bad = line.note.starts_with("LOST") || line.note.starts_with("LATE");
            let ink = if is_bad { Ink::Bad } else { Ink::Faint };
            out.push_str(&self.style.paint(ink, &note));
        }
        out.push('\n');
        out
    }

    fn legend(&self) -> String {
        let marks = self.marks;
        let mut parts = vec![format!("{}{} arrives at the next time", marks.across, marks.right)];
        if self.spacetime.arrows.iter().any(|arrow| arrow.lost_to.is_some()) {
            parts.push(format!("{}{} lost", marks.across, marks.lost));
        }
        if self.spacetime.arrows.iter().any(Arrow::is_late) {
            let (late, [turn, _], [end, _]) = (marks.late, marks.turn, marks.arrival);
            parts.push(format!("{late}{turn} {end}{} late, on its way", marks.right));
        }
        if self.spacetime.crashes.iter().any(Option::is_some) {
            parts.push(format!("{} crashes", marks.crash));
        }
        if self.spacetime.recoveries.iter().any(Option::is_some) {
            parts.push(format!("{} recovers", marks.recovery));
        }
        if !self.spacetime.inputs.is_empty() {
            parts.push(format!("{} input with a choice", marks.input));
        }
        if self.spacetime.arrows.iter().any(Arrow::is_to_itself) {
            parts.push("messages to oneself are not drawn".to_owned());
        }
        let mut lines = vec![String::new()];
        for part in parts {
            let line = lines.last_mut().expect("there is always a line");
            if line.is_empty() {
                *line = format!("{:GUTTER$}{part}", "");
            } else if line.width() + 3 + part.width() <= self.style.width() {
                line.push_str(&format!("   {part}"));
            } else {
                lines.push(format!("{:GUTTER$}{part}", ""));
            }
        }
        lines.iter().map(|line| format!("{}\n", self.style.paint(Ink::Faint, line))).collect()
    }
}

/// Cuts text to a width.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    for character in text.chars() {
        if fitted.width() + character.to_string().width() + 1 > width {
            break;
        }
        fitted.push(character);
    }
    fitted.push('~');
    fitted
}
