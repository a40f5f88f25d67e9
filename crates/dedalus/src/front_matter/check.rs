//! Do the bounds of a scenario make sense together?

use super::document::Entries;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Reports bounds that contradict each other.
pub(super) fn check(entries: &Entries, diagnostics: &mut Diagnostics) {
    if let (Some(eot), Some(eff)) = (&entries.eot, &entries.eff)
        && eff.value > eot.value
    {
        diagnostics.push(
            Diagnostic::at(
                Code::FrontMatterBounds,
                eff.span,
                format!("`eff` is {}, but the run ends at step {}", eff.value, eot.value),
                "later than the end",
            )
            .with_label(eot.span, "the last step")
            .with_help("messages can be lost at steps before `eff`: give at most `eot`"),
        );
    }
    if let (Some(crashes), Some(nodes)) = (&entries.crashes, &entries.nodes)
        && crashes.value as usize > nodes.value.len()
    {
        let count = nodes.value.len();
        let plural = if count == 1 { "" } else { "s" };
        diagnostics.push(
            Diagnostic::at(
                Code::FrontMatterBounds,
                crashes.span,
                format!("{} crashes, but only {count} node{plural}", crashes.value),
                "more than there are nodes",
            )
            .with_label(nodes.span, format!("{count} node{plural}"))
            .with_help("a node crashes at most once"),
        );
    }
}
