//! The story as wrapped text.

use linchpin_record::Header;
use unicode_width::UnicodeWidthStr;

use super::{Ink, Style, visible};
use crate::story::Story;
use crate::text;

/// The story of a bad run, wrapped to the width of the terminal. Ends with a line break.
#[must_use]
pub fn tell(header: &Header, story: &Story, style: Style) -> String {
    let mut out = Text { style, out: String::new() };
    if !story.faults.is_empty() {
        out.heading("What happened");
        for (index, fault) in story.faults.iter().enumerate() {
            out.wrapped(&format!("{}. ", index + 1), 2, &fault.sentence);
            for consequence in &fault.consequences {
                out.wrapped("", 5, consequence);
            }
        }
        out.out.push('\n');
    }
    out.heading("Why that breaks the protocol");
    out.wrapped("", 2, &story.invariant);
    let (dash, bullet) = if style.ascii { ("- ", "* ") } else { ("– ", "• ") };
    for point in &story.why {
        let claim = match point.because.as_slice() {
            [] => format!("{}.", point.claim),
            [one] => format!("{}: {one}.", point.claim),
            _ => format!("{}:", point.claim),
        };
        out.wrapped(bullet, 2, &claim);
        if point.because.len() > 1 {
            for (index, because) in point.because.iter().enumerate() {
                let end = if index + 1 == point.because.len() { "." } else { ", and" };
                out.wrapped(dash, 4, &format!("{because}{end}"));
            }
        }
        for &rule in &point.rules {
            let shown = format!("{}  {}", text::place(header, rule), text::rule(header, rule));
            out.faint(6, &shown);
        }
    }
    if !story.replay.is_empty() {
        out.out.push('\n');
        out.heading("To see it again");
        out.out.push_str(&format!("  {}\n", visible(&story.replay)));
    }
    out.out
}

struct Text {
    style: Style,
    out: String,
}

impl Text {
    fn heading(&mut self, text: &str) {
        self.out.push_str(&self.style.paint(Ink::Strong, text));
        self.out.push('\n');
    }

    /// A paragraph after a mark, indented.
    fn wrapped(&mut self, mark: &str, indent: usize, text: &str) {
        let text = visible(text);
        let hang = indent + mark.width();
        for (index, line) in wrap(&text, self.style.width() - hang).iter().enumerate() {
            let lead =
                if index == 0 { format!("{}{mark}", " ".repeat(indent)) } else { " ".repeat(hang) };
            self.out.push_str(&format!("{lead}{line}\n"));
        }
    }

    fn faint(&mut self, indent: usize, text: &str) {
        let text = visible(text);
        for (index, line) in wrap(&text, self.style.width() - indent - 2).iter().enumerate() {
            let lead = " ".repeat(if index == 0 { indent } else { indent + 2 });
            self.out.push_str(&lead);
            self.out.push_str(&self.style.paint(Ink::Faint, line));
            self.out.push('\n');
        }
    }
}

/// Breaks at spaces; a word longer than the width stands on a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
