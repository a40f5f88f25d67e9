//! What of a formula was seen to hold in one run.

use rustc_hash::FxHashMap;

use crate::{Graph, Literal, Node, Values};

/// What to keep of a subformula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Keep {
    /// Only what was true in the run: the reasons seen for something that is there.
    Seen,
    /// Everything: all reasons for something not to be there, as far as they do not rest on
    /// things that would have to be there.
    All,
}

/// Which of the reasons seen for something a support keeps.
///
/// Every choice gives a formula that is true of the run and sufficient; the more it keeps, the more
/// other runs it answers for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    /// Whatever was seen, as alternatives.
    #[default]
    All,
    /// Of every disjunction the disjunct with the fewest literals below it.
    Shortest,
    /// Of every disjunction the first disjunct that was seen.
    First,
}

impl Graph {
    /// Declares that a formula says of something that it is absent.
    ///
    /// [`Graph::support`] keeps all the reasons for an absence, whether or not they were seen, and
    /// of the reasons for a presence those that were seen.
    pub fn declare_absence(&mut self, formula: Literal) {
        if formula.is_constant() {
            return;
        }
        let place = formula.0 as usize;
        if place >= self.absences.len() {
            self.absences.resize(place + 1, false);
        }
        self.absences[place] = true;
    }

    fn is_absence(&self, formula: Literal) -> bool {
        self.absences.get(formula.0 as usize).copied().unwrap_or(false)
    }

    fn keep(&self, literal: Literal, inherited: Keep) -> Keep {
        if self.is_absence(literal) {
            Keep::All
        } else if self.is_absence(!literal) {
            Keep::Seen
        } else {
            inherited
        }
    }

    /// The support of `goal` in the run with these values.
    ///
    /// `goal` must be true under `values`. Of every disjunction that says that something is there,
    /// the disjuncts that were false in the run are dropped. The result S is true under `values`
    /// and implies `goal`.
    pub fn support(&mut self, goal: Literal, values: &Values) -> Literal {
        self.support_by(goal, values, Reasons::All)
    }

    /// As [`Graph::support`], with fewer reasons: to measure what the others are good for.
    pub fn support_by(&mut self, goal: Literal, values: &Values, reasons: Reasons) -> Literal {
        assert!(values.of(goal), "the support of a formula exists where it is true");
        let keep_of = |graph: &Self, literal: Literal, inherited: Keep| match reasons {
            Reasons::All => graph.keep(literal, inherited),
            Reasons::Shortest | Reasons::First => Keep::Seen,
        };
        let root = (goal, keep_of(self, goal, Keep::Seen));
        let mut built: FxHashMap<(Literal, Keep), Literal> = FxHashMap::default();
        // How many literals a conjunction has, those in common counted each time.
        let mut sizes: FxHashMap<Literal, u64> = FxHashMap::default();
        // Each entry is visited twice: first its children are pushed, then it is built.
        let mut open = vec![(root, false)];
        while let Some((entry, expanded)) = open.pop() {
            let (literal, keep) = entry;
            if built.contains_key(&entry) {
                continue;
            }
            if keep == Keep::Seen && !values.of(literal) {
                built.insert(entry, Literal::FALSE);
                continue;
            }
            let Node::And(children) = self.node(literal.node()) else {
                built.insert(entry, literal);
                continue;
            };
            let negated = literal.is_negated();
            let parts: Vec<(Literal, Keep)> = children
                .iter()
                .map(|&child| {
                    let child = if negated { !child } else { child };
                    (child, keep_of(self, child, keep))
                })
                .collect();
            if expanded {
                let size_of = |part: &Literal| match *part {
                    Literal::TRUE => 0,
                    part => sizes.get(&part).copied().unwrap_or(1),
                };
                let parts = parts.iter().map(|part| built[part]);
                let (support, size) = if !negated {
                    let parts: Vec<Literal> = parts.collect();
                    let size = parts.iter().map(size_of).fold(0, u64::saturating_add);
                    (self.and(parts), size)
                } else if reasons == Reasons::All {
                    (self.or(parts.collect::<Vec<_>>()), 0)
                } else {
                    let mut seen = parts.filter(|&part| part != Literal::FALSE);
                    let one = match reasons {
                        Reasons::Shortest => seen.min_by_key(size_of),
                        _ => seen.next(),
                    };
                    let one = one.expect("a disjunction that is true has a true part");
                    (one, size_of(&one))
                };
                built.insert(entry, support);
                if reasons == Reasons::Shortest {
                    sizes.insert(support, size);
                }
            } else {
                open.push((entry, true));
                open.extend(parts.into_iter().map(|part| (part, false)));
            }
        }
        built[&root]
    }
}
