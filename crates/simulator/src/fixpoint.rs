//! Semi-naive evaluation of one stratum at one time step.

use linchpin_dedalus::hir::{RelationId, RuleId};

use crate::plan::{RulePlan, Step, StratumPlan};
use crate::table::RowIndex;

/// Rounds after which a step is taken not to end.
pub(crate) const ROUNDS_MAX: usize = 20_000;

/// Rows of one relation at one time step after which the step is taken not to end.
pub(crate) const ROWS_MAX: usize = 1_000_000;

/// Which rows of its own stratum a rule reads in one round.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The literal that reads what is new; those before it read what is old, those after it both.
    pub(crate) delta_literal: usize,
    /// Per relation of the stratum: the end of the old rows and of the new ones.
    pub(crate) ends: Vec<(RelationId, RowIndex, RowIndex)>,
}

impl Window {
    pub(crate) fn range(
        &self,
        literal: usize,
        relation: RelationId,
    ) -> Option<std::ops::Range<RowIndex>> {
        let &(_, old, new) = self.ends.iter().find(|end| end.0 == relation)?;
        Some(match literal.cmp(&self.delta_literal) {
            std::cmp::Ordering::Less => 0..old,
            std::cmp::Ordering::Equal => old..new,
            std::cmp::Ordering::Greater => 0..new,
        })
    }
}

/// What is done with the valuations of a rule.
pub(crate) trait Deriver {
    /// Why a step cannot be completed.
    type Stop;

    /// The number of rows of a relation now.
    fn row_count(&self, relation: RelationId) -> usize;

    /// Evaluates a rule; what it derives becomes visible at [`Deriver::commit`].
    fn fire(
        &mut self,
        rule: &RulePlan,
        steps: &[Step],
        window: Option<&Window>,
    ) -> Result<(), Self::Stop>;

    /// Makes what was derived visible.
    fn commit(&mut self) -> Result<(), Self::Stop>;

    /// Occurs when the step does not end; names a rule of the stratum.
    fn endless(&self, rule: RuleId) -> Self::Stop;
}

/// Evaluates the rules of a stratum until nothing new is derived. Each valuation is met once.
pub(crate) fn fixpoint<D: Deriver>(stratum: &StratumPlan, deriver: &mut D) -> Result<(), D::Stop> {
    for rule in &stratum.rules {
        deriver.fire(rule, &rule.full, None)?;
    }
    // Everything present in round 0 is old; what the first commit adds is new.
    let mut old: Vec<usize> =
        stratum.relations.iter().map(|&relation| deriver.row_count(relation)).collect();
    deriver.commit()?;
    if !stratum.recursive {
        return Ok(());
    }
    for round in 0.. {
        let ends: Vec<(RelationId, RowIndex, RowIndex)> = stratum
            .relations
            .iter()
            .zip(&old)
            .map(|(&relation, &old)| {
                (relation, old as RowIndex, deriver.row_count(relation) as RowIndex)
            })
            .collect();
        let Some(growing) = ends.iter().find(|end| end.1 < end.2) else { break };
        if round >= ROUNDS_MAX || ends.iter().any(|end| end.2 as usize > ROWS_MAX) {
            let mut growing_rules = stratum.rules.iter().filter(|rule| rule.head == growing.0);
            let rule = growing_rules.clone().find(|rule| !rule.delta.is_empty());
            let rule = rule.or_else(|| growing_rules.next());
            return Err(deriver.endless(rule.map_or(RuleId(0), |rule| rule.rule)));
        }
        let mut window = Window { delta_literal: 0, ends };
        for rule in &stratum.rules {
            for (literal, steps) in &rule.delta {
                window.delta_literal = *literal;
                deriver.fire(rule, steps, Some(&window))?;
            }
        }
        old = window.ends.iter().map(|end| end.2 as usize).collect();
        deriver.commit()?;
    }
    Ok(())
}
