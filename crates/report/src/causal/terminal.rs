//! The space-time diagram and the summary of a run of processes, in plain text.

use linchpin_record::{TraceCounts, TraceRun};
use unicode_width::UnicodeWidthStr;

use super::rows::{Line, Row, fold, rows};
use super::{Diagram, conversations, time_text};
use crate::terminal::{Ink, Style, fit, visible};
use crate::text::count as plural;

/// Rows drawn; of a longer run the beginning and the end are.
const ROWS_MAX: usize = 64;
/// Of these, so many are of the end.
const ROWS_AT_END: usize = 16;
/// Columns drawn; of more lanes, those that say most are.
const LANES_MAX: usize = 10;
const GUTTER: usize = 9;
const COLUMN_MAX: usize = 22;
const COLUMN_MIN: usize = 8;

struct Marks {
    line: char,
    across: char,
    right: char,
    left: char,
    event: char,
    killed: char,
    sync: char,
    dots: &'static str,
}

const UNICODE: Marks = Marks {
    line: '│',
    across: '─',
    right: '▶',
    left: '◀',
    event: '●',
    killed: '╳',
    sync: '▼',
    dots: "⋮",
};
const ASCII: Marks = Marks {
    line: '|',
    across: '-',
    right: '>',
    left: '<',
    event: 'o',
    killed: 'X',
    sync: 'v',
    dots: "...",
};

/// Draws a run. Ends with a line break.
#[must_use]
pub fn diagram(diagram: &Diagram<'_>, style: Style) -> String {
    Drawing::new(diagram, style).draw()
}

/// Draws a run around an event, which is marked: so many rows before it and after it. Without an
/// event as [`diagram`]. Ends with a line break.
#[must_use]
pub fn around(diagram: &Diagram<'_>, event: Option<u32>, rows: usize, style: Style) -> String {
    let drawing = Drawing::new(diagram, style);
    // A record that was tampered with may name what is not there.
    match event.filter(|event| (*event as usize) < diagram.trace.events.len()) {
        Some(event) => drawing.draw_around(event, rows),
        None => drawing.draw(),
    }
}

struct Drawing<'a> {
    diagram: &'a Diagram<'a>,
    style: Style,
    marks: &'static Marks,
    /// Per lane: its column, if it is drawn.
    columns: Vec<Option<usize>>,
    names: Vec<String>,
    column: usize,
}

impl<'a> Drawing<'a> {
    fn new(diagram: &'a Diagram<'a>, style: Style) -> Self {
        let mut talk = vec![0_usize; diagram.lanes.len()];
        for (_, row) in rows(diagram) {
            match row {
                Row::Message { from, to, .. } | Row::Leaves { from, to, .. } => {
                    talk[from] += 1;
                    talk[to] += 1;
                }
                Row::Mark { lane, .. } => talk[lane] += 1,
                Row::Arrives { .. } => {}
            }
        }
        let mut drawn: Vec<usize> = (0..talk.len()).filter(|lane| talk[*lane] > 0).collect();
        let notes = (style.width.max(40) / 3).min(36);
        let room = style.width.max(40).saturating_sub(GUTTER + notes);
        drawn.sort_by_key(|lane| (std::cmp::Reverse(talk[*lane]), *lane));
        drawn.truncate((room / COLUMN_MIN).clamp(2, LANES_MAX));
        drawn.sort_unstable();
        let mut columns = vec![None; talk.len()];
        for (column, lane) in drawn.iter().enumerate() {
            columns[*lane] = Some(column);
        }
        let names: Vec<String> =
            drawn.iter().map(|lane| visible(&diagram.lanes[*lane].name)).collect();
        let longest = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let column =
            (room / names.len().max(1)).clamp(COLUMN_MIN, COLUMN_MAX).min((longest + 2).max(12));
        let marks = if style.ascii { &ASCII } else { &UNICODE };
        Self { diagram, style, marks, columns, names, column }
    }

    fn centre(&self, column: usize) -> usize {
        GUTTER + column * self.column + self.column / 2
    }

    fn draw(&self) -> String {
        if self.names.is_empty() {
            return "No messages between processes.\n".to_owned();
        }
        let mut drawn = rows(self.diagram);
        let all = drawn.len();
        drawn.retain(|(_, row)| self.is_drawn(row));
        let hidden = all - drawn.len();
        let lines = fold(drawn);
        let mut out = self.heading();
        let (head, tail) = if lines.len() > ROWS_MAX {
            (&lines[..ROWS_MAX - ROWS_AT_END], &lines[lines.len() - ROWS_AT_END..])
        } else {
            (&lines[..], &[][..])
        };
        for line in head {
            out.push_str(&self.line(line));
        }
        self.left_out(&mut out, lines.len() - head.len() - tail.len());
        for line in tail {
            out.push_str(&self.line(line));
        }
        let quiet = self.columns.iter().filter(|column| column.is_none()).count();
        if quiet > 0 {
            let mut text = format!("{:GUTTER$}not drawn: {}", "", plural(quiet, "quieter column"));
            if hidden > 0 {
                text.push_str(&format!(", {}", plural(hidden, "row")));
            }
            out.push_str(&self.style.paint(Ink::Faint, &text));
            out.push('\n');
        }
        out
    }

    fn draw_around(&self, event: u32, around: usize) -> String {
        if self.names.is_empty() {
            return "No messages between processes.\n".to_owned();
        }
        let mut drawn = rows(self.diagram);
        drawn.retain(|(_, row)| self.is_drawn(row));
        let lines = fold(drawn);
        let (time, lane) = (self.diagram.event(event).time_ns, self.diagram.lane(event));
        // A message stands where it was received, which is at its time or later.
        let is_it = |line: &Line| match line {
            Line::Row { time_ns, row } => *time_ns >= time && row.is_in(lane),
            Line::Repeat { until_ns, .. } => *until_ns >= time,
        };
        let marked = lines.iter().position(is_it).unwrap_or(lines.len().saturating_sub(1));
        let window = marked.saturating_sub(around)..lines.len().min(marked + around + 1);
        let mut out = self.heading();
        self.left_out(&mut out, window.start);
        for index in window.clone() {
            let line = self.line(&lines[index]);
            if index == marked {
                let mark = if self.style.ascii { "<-- here" } else { "◀── here" };
                let line = format!("{} {}", line.trim_end(), self.style.paint(Ink::Bad, mark));
                out.push_str(&line);
                out.push('\n');
            } else {
                out.push_str(&line);
            }
        }
        self.left_out(&mut out, lines.len() - window.end);
        out
    }

    fn left_out(&self, out: &mut String, rows: usize) {
        if rows > 0 {
            let dots = self.marks.dots;
            let text = format!("{dots:>GUTTER$} {} left out", plural(rows, "row"));
            out.push_str(&self.style.paint(Ink::Faint, &text));
            out.push('\n');
        }
    }

    fn is_drawn(&self, row: &Row) -> bool {
        let there = |lane: &usize| self.columns[*lane].is_some();
        match row {
            Row::Message { from, to, .. }
            | Row::Leaves { from, to, .. }
            | Row::Arrives { from, to, .. } => there(from) && there(to),
            Row::Mark { lane, .. } => there(lane),
        }
    }

    fn heading(&self) -> String {
        let mut line = format!("{:<GUTTER$}", "time");
        let mut position = GUTTER;
        for (column, name) in self.names.iter().enumerate() {
            let name = fit(name, self.column - 1);
            let start = (self.centre(column) + 1).saturating_sub(name.width().div_ceil(2));
            line.push_str(&" ".repeat(start.saturating_sub(position)));
            position = start.max(position) + name.width();
            line.push_str(&self.style.paint(Ink::Strong, &name));
        }
        line.push('\n');
        line
    }

    fn line(&self, line: &Line) -> String {
        match line {
            Line::Repeat { rows, times, until_ns } => {
                let what = if *rows == 1 { "it".to_owned() } else { format!("these {rows} rows") };
                let dots = self.marks.dots;
                let until = time_text(*until_ns);
                let text = format!("{dots:>GUTTER$} {what} {times} times more, until {until}");
                self.style.paint(Ink::Faint, &text) + "\n"
            }
            Line::Row { time_ns, row } => self.row(*time_ns, row),
        }
    }

    fn row(&self, time_ns: u64, row: &Row) -> String {
        let mut cells: Vec<(char, Option<Ink>)> =
            vec![(' ', None); GUTTER + self.column * self.names.len()];
        for column in 0..self.names.len() {
            cells[self.centre(column)] = (self.marks.line, Some(Ink::Faint));
        }
        let centre = |lane: usize| self.centre(self.columns[lane].expect("a lane that is drawn"));
        let (note, ink) = match row {
            Row::Message { from, to, label, bytes } => {
                self.arrow(&mut cells, centre(*from), centre(*to));
                (message_text(label.as_deref(), *bytes), Ink::Faint)
            }
            Row::Leaves { from, to, label, bytes, number } => {
                self.stub(&mut cells, centre(*from), centre(*from) < centre(*to), *number);
                (message_text(label.as_deref(), *bytes) + " leaves", Ink::Faint)
            }
            Row::Arrives { from, to, number } => {
                self.head(&mut cells, centre(*to), centre(*from) < centre(*to), *number);
                ("arrives".to_owned(), Ink::Faint)
            }
            Row::Mark { lane, kind, text } => {
                let (mark, ink) = match kind.as_str() {
                    "sync" => (self.marks.sync, Ink::Strong),
                    "process_exit" => (self.marks.killed, Ink::Bad),
                    _ => (self.marks.event, Ink::Bad),
                };
                cells[centre(*lane)] = (mark, Some(ink));
                (visible(text), ink)
            }
        };
        let mut out = format!("{:>width$}  ", time_text(time_ns), width = GUTTER - 2);
        for (character, ink) in &cells[GUTTER..] {
            match ink {
                Some(ink) => out.push_str(&self.style.paint(*ink, &character.to_string())),
                None => out.push(*character),
            }
        }
        let room = self.style.width.max(40).saturating_sub(cells.len() + 1).max(12);
        let note = fit(&note, room);
        out.push(' ');
        out.push_str(&self.style.paint(ink, &note));
        out.push('\n');
        out
    }

    fn arrow(&self, cells: &mut [(char, Option<Ink>)], from: usize, to: usize) {
        let (low, high) = if from < to { (from + 1, to) } else { (to + 1, from) };
        for cell in &mut cells[low..high] {
            if cell.0 == ' ' {
                *cell = (self.marks.across, None);
            }
        }
        if from < to {
            cells[to - 1] = (self.marks.right, Some(Ink::Good));
        } else {
            cells[to + 1] = (self.marks.left, Some(Ink::Good));
        }
    }

    /// The beginning of a message that arrives further down: `──(3)`.
    fn stub(
        &self,
        cells: &mut [(char, Option<Ink>)],
        from: usize,
        rightwards: bool,
        number: usize,
    ) {
        let text = format!("{0}({number})", self.marks.across);
        let start = if rightwards { from + 1 } else { from.saturating_sub(text.chars().count()) };
        let text: String =
            if rightwards { text } else { format!("({number}){}", self.marks.across) };
        for (offset, character) in text.chars().enumerate() {
            if let Some(cell) = cells.get_mut(start + offset).filter(|_| start + offset >= GUTTER) {
                *cell = (character, None);
            }
        }
    }

    /// The end of it, on the side it comes from: `(3)▶│` or `│◀(3)`.
    fn head(
        &self,
        cells: &mut [(char, Option<Ink>)],
        lane: usize,
        rightwards: bool,
        number: usize,
    ) {
        let number = format!("({number})");
        let (mark, text) = if rightwards {
            (lane - 1, lane.saturating_sub(1 + number.len()))
        } else {
            (lane + 1, lane + 2)
        };
        let head = if rightwards { self.marks.right } else { self.marks.left };
        for (offset, character) in number.chars().enumerate() {
            if let Some(cell) = cells.get_mut(text + offset).filter(|_| text + offset >= GUTTER) {
                *cell = (character, None);
            }
        }
        if let Some(cell) = cells.get_mut(mark) {
            *cell = (head, Some(Ink::Good));
        }
    }
}

fn message_text(label: Option<&str>, bytes: u64) -> String {
    let label = label.map_or_else(|| "message".to_owned(), visible);
    format!("{label}, {bytes} B")
}

/// Kinds of messages listed; the rest is counted.
const KINDS_MAX: usize = 24;

/// What was said between whom, what is left unexplained, and what it cost.
#[must_use]
pub fn summary(diagram: &Diagram<'_>, run: &TraceRun, style: Style) -> String {
    let mut out = String::new();
    let counts = &run.counts;
    let processes = plural(counts.processes as usize, "process").replace("processs", "processes");
    out.push_str(&format!(
        "{}, {processes}, {}, {} bytes\n",
        plural(counts.events as usize, "event"),
        plural(counts.messages as usize, "message"),
        counts.bytes
    ));
    let mut kinds = conversations(diagram);
    kinds.sort_by_key(|kind| (std::cmp::Reverse(kind.sends), kind.from, kind.to));
    let name = |lane: usize| visible(&diagram.lanes[lane].name);
    let listed: Vec<[String; 4]> = kinds
        .iter()
        .take(KINDS_MAX)
        .map(|kind| {
            let to = kind.to.map_or_else(|| "nobody traced".to_owned(), name);
            let arrow = if style.ascii { "->" } else { "→" };
            [
                format!("{} {arrow} {to}", name(kind.from)),
                kind.link.clone(),
                kind.label.as_deref().map_or_else(|| "message".to_owned(), visible),
                format!("{} x, {} B", kind.sends, kind.bytes),
            ]
        })
        .collect();
    let width = |column: usize| listed.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for row in &listed {
        let mut line = String::from("  ");
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if let Some(width) = widths.get(column) {
                line.push_str(&" ".repeat(width - cell.width() + 2));
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if kinds.len() > KINDS_MAX {
        out.push_str(&format!("  and {}\n", plural(kinds.len() - KINDS_MAX, "further kind")));
    }
    out.push_str(&unexplained(counts, style));
    out
}

/// What the trace does not explain; one line that says so if there is nothing.
fn unexplained(counts: &TraceCounts, style: Style) -> String {
    let mut out = String::new();
    let nothing = counts.unmatched_bytes + counts.unmatched_datagrams + counts.mismatches == 0
        && counts.denied.is_empty()
        && counts.not_followed.is_empty();
    if nothing {
        out.push_str("every byte received is matched to its sender\n");
    } else {
        let text = format!(
            "unexplained: {} bytes, {} datagrams, {} receives with other content than sent\n",
            counts.unmatched_bytes, counts.unmatched_datagrams, counts.mismatches
        );
        let any = counts.unmatched_bytes + counts.unmatched_datagrams + counts.mismatches > 0;
        out.push_str(&if any { style.paint(Ink::Bad, &text) } else { text });
    }
    if counts.let_through > 0 {
        out.push_str(&format!(
            "let through: {} reads and writes of busy pipes within one process\n",
            counts.let_through
        ));
    }
    for (call, times) in &counts.denied {
        out.push_str(&format!("denied, because it cannot be followed: {call}, {times} times\n"));
    }
    for (what, times) in &counts.not_followed {
        out.push_str(&format!("not followed: {}, {times} times\n", visible(what)));
    }
    out
}
