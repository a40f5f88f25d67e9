use proptest::prelude::*;

use super::*;

const VARIABLES: u32 = 5;

/// A random formula, as the operations that build it on a stack.
#[derive(Clone, Debug)]
enum Step {
    Variable(u32),
    Not,
    And(usize),
    Or(usize),
    AtLeast(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..VARIABLES).prop_map(Step::Variable),
        1 => Just(Step::Not),
        1 => (2usize..4).prop_map(Step::And),
        1 => (2usize..4).prop_map(Step::Or),
        1 => (0usize..4, 2usize..5).prop_map(|(count, width)| Step::AtLeast(count, width)),
    ];
    prop::collection::vec(step, 1..40)
}

/// Builds the formula and, beside it, its truth table.
fn build(graph: &mut Graph, steps: &[Step]) -> (Literal, u32) {
    let mut stack: Vec<(Literal, u32)> = vec![(Literal::TRUE, u32::MAX)];
    for step in steps {
        let take = |stack: &mut Vec<(Literal, u32)>, width: usize| {
            let at = stack.len().saturating_sub(width);
            stack.split_off(at)
        };
        let pushed = match *step {
            Step::Variable(variable) => {
                let table = (0..32)
                    .filter(|row| row >> variable & 1 == 1)
                    .fold(0u32, |table, row| table | 1 << row);
                (graph.variable(Variable(variable)), table)
            }
            Step::Not => {
                let (literal, table) = stack.pop().unwrap_or((Literal::TRUE, u32::MAX));
                (!literal, !table)
            }
            Step::And(width) => {
                let parts = take(&mut stack, width);
                let literal = graph.and(parts.iter().map(|part| part.0));
                (literal, parts.iter().fold(u32::MAX, |table, part| table & part.1))
            }
            Step::Or(width) => {
                let parts = take(&mut stack, width);
                let literal = graph.or(parts.iter().map(|part| part.0));
                (literal, parts.iter().fold(0, |table, part| table | part.1))
            }
            Step::AtLeast(count, width) => {
                let parts = take(&mut stack, width);
                let literals: Vec<Literal> = parts.iter().map(|part| part.0).collect();
                let table = (0..32)
                    .filter(|row| {
                        parts.iter().filter(|part| part.1 >> row & 1 == 1).count() >= count
                    })
                    .fold(0u32, |table, row| table | 1 << row);
                (graph.at_least(count, &literals), table)
            }
        };
        stack.push(pushed);
    }
    stack.pop().expect("never empty")
}

fn table_of(graph: &Graph, literal: Literal) -> u32 {
    (0u32..32).fold(0, |table, row| {
        let value = graph.evaluate(|variable| row >> variable.0 & 1 == 1).of(literal);
        table | u32::from(value) << row
    })
}

proptest! {
    #[test]
    fn a_formula_means_what_was_built(steps in steps()) {
        let mut graph = Graph::new();
        let (literal, table) = build(&mut graph, &steps);
        prop_assert_eq!(table_of(&graph, literal), table);
    }

    #[test]
    fn sixty_four_assignments_at_once(steps in steps(), shift in 0u32..32) {
        let mut graph = Graph::new();
        let (literal, table) = build(&mut graph, &steps);
        // Bit i is row (i + shift) mod 32 of the truth table.
        let row = |bit: u32| (bit + shift) % 32;
        let values = graph.evaluate_64(|variable| {
            (0..64).fold(0, |word, bit| word | u64::from(row(bit) >> variable.0 & 1) << bit)
        });
        let expected = (0..64).fold(0, |word, bit| word | u64::from(table >> row(bit) & 1) << bit);
        prop_assert_eq!(values.of(literal), expected);
        prop_assert_eq!(values.of(!literal), !expected);
    }

    #[test]
    fn a_support_holds_in_its_run_and_implies_the_goal(
        steps in steps(),
        row in 0u32..32,
        absences in prop::collection::vec(0u32..64, 0..4),
    ) {
        let mut graph = Graph::new();
        let (literal, table) = build(&mut graph, &steps);
        for absence in absences {
            let node = NodeIndex(absence / 2 % graph.node_count() as u32);
            graph.declare_absence(Literal::new(node, absence % 2 == 1));
        }
        let values = graph.evaluate(|variable| row >> variable.0 & 1 == 1);
        let goal = if values.of(literal) { literal } else { !literal };
        let goal_table = if values.of(literal) { table } else { !table };
        for reasons in [Reasons::All, Reasons::Shortest, Reasons::First] {
            let support = graph.support_by(goal, &values, reasons);
            let support_table = table_of(&graph, support);
            prop_assert_eq!(support_table >> row & 1, 1, "true in its run");
            prop_assert_eq!(support_table & !goal_table, 0, "sufficient for the goal");
        }
    }
}

#[test]
fn a_support_keeps_what_was_seen_and_all_of_an_absence() {
    let mut graph = Graph::new();
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| graph.variable(Variable(index)));
    let seen_or_not = graph.or([a, b]);
    let absent = graph.or([!c, !d]);
    let goal = graph.and([seen_or_not, absent]);
    // In this run: a and !c hold, b and !d do not.
    let values = graph.evaluate(|variable| variable.0 != 1 && variable.0 != 2);
    let reasons = graph.and([a, !c]);
    assert_eq!(graph.support(goal, &values), reasons);
    graph.declare_absence(absent);
    let reasons = graph.and([a, absent]);
    assert_eq!(graph.support(goal, &values), reasons);
}

#[test]
fn equal_formulas_are_one_node() {
    let mut graph = Graph::new();
    let [a, b, c] = [0, 1, 2].map(|index| graph.variable(Variable(index)));
    let left = graph.and([a, b, c]);
    let nodes = graph.node_count();
    assert_eq!(graph.and([c, b, a, b, Literal::TRUE]), left);
    assert_eq!(graph.and([a, !a]), Literal::FALSE);
    assert_eq!(graph.or([a, !a]), Literal::TRUE);
    assert_eq!(graph.or([]), Literal::FALSE);
    assert_eq!(graph.and([a, Literal::FALSE]), Literal::FALSE);
    assert_eq!(graph.node_count(), nodes);
}
