//! How things look on the terminal.

use std::io::IsTerminal;

use linchpin_dedalus::render;
use linchpin_record::{Header, Run};
use linchpin_report::SpaceTime;
use linchpin_report::terminal::{self, Style};

use crate::args::Color;
use crate::input::style;

/// What the flags say about looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) color: Color,
    pub(crate) ascii: bool,
}

const WIDTH_DEFAULT: usize = 80;
const WIDTH_MAX: usize = 120;

impl Look {
    /// For standard output: as wide as the terminal (or `COLUMNS`), within reason.
    pub(crate) fn style(self) -> Style {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = columns.or_else(terminal).unwrap_or(WIDTH_DEFAULT).min(WIDTH_MAX);
        let colour = style(self.color, std::io::stdout().is_terminal()) == render::Style::Colour;
        Style { width, ascii: self.ascii, colour }
    }
}

/// The space-time diagram of a run.
pub(crate) fn diagram(header: &Header, run: &Run, style: Style) -> String {
    let name = |relation: u32| header.vocabulary.relations[relation as usize].name.as_str();
    let answered = header.vocabulary.answered.map_or("", name);
    let names = (header.vocabulary.asked.map(name), answered);
    terminal::diagram(&SpaceTime::new(header, run), names, style)
}
