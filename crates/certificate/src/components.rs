//! Strongly connected components (Tarjan, 1972), without recursion.
//!
//! Our own, since the order of components decides how variables are numbered: a certificate must not
//! depend on the version of a library.

const UNSEEN: usize = usize::MAX;

/// The strongly connected components of a graph given by the successors of each vertex. Each
/// component comes after those it reaches, and its vertices are in ascending order.
pub(crate) fn components(successors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut order = vec![UNSEEN; successors.len()];
    // The earliest vertex on the stack known to be reachable.
    let mut lowest = vec![UNSEEN; successors.len()];
    let mut on_stack = vec![false; successors.len()];
    let (mut stack, mut seen) = (Vec::new(), 0);
    let mut result = Vec::new();
    for root in 0..successors.len() {
        // The path from the root, each vertex with its next successor to look at.
        let mut path = if order[root] == UNSEEN { vec![(root, 0)] } else { Vec::new() };
        while let Some((vertex, next)) = path.last_mut() {
            let vertex = *vertex;
            if order[vertex] == UNSEEN {
                (order[vertex], lowest[vertex]) = (seen, seen);
                seen += 1;
                stack.push(vertex);
                on_stack[vertex] = true;
            }
            if let Some(&successor) = successors[vertex].get(*next) {
                *next += 1;
                if order[successor] == UNSEEN {
                    path.push((successor, 0));
                } else if on_stack[successor] {
                    lowest[vertex] = lowest[vertex].min(order[successor]);
                }
                continue;
            }
            path.pop();
            if let Some((before, _)) = path.last() {
                lowest[*before] = lowest[*before].min(lowest[vertex]);
            }
            if lowest[vertex] == order[vertex] {
                let start = stack.iter().rposition(|&other| other == vertex);
                let mut component = stack.split_off(start.expect("it is on the stack"));
                for &member in &component {
                    on_stack[member] = false;
                }
                component.sort_unstable();
                result.push(component);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::components;

    /// Whether each vertex reaches each other, by Warshall's algorithm.
    fn reaches(successors: &[Vec<usize>]) -> Vec<Vec<bool>> {
        let count = successors.len();
        let mut reaches: Vec<Vec<bool>> = (0..count)
            .map(|from| (0..count).map(|to| successors[from].contains(&to)).collect())
            .collect();
        for middle in 0..count {
            for from in 0..count {
                for to in 0..count {
                    reaches[from][to] |= reaches[from][middle] && reaches[middle][to];
                }
            }
        }
        reaches
    }

    #[test]
    fn components_are_those_of_reachability_in_order() {
        let mut state = 1_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % bound
        };
        for _ in 0..2_000 {
            let count = 1 + below(9);
            let successors: Vec<Vec<usize>> =
                (0..count).map(|_| (0..below(3)).map(|_| below(count)).collect()).collect();
            let found = components(&successors);
            let mut place = vec![None; count];
            for (number, component) in found.iter().enumerate() {
                assert!(component.is_sorted());
                for &vertex in component {
                    assert_eq!(place[vertex].replace(number), None);
                }
            }
            let reaches = reaches(&successors);
            for from in 0..count {
                for to in 0..count {
                    let together = from == to || (reaches[from][to] && reaches[to][from]);
                    assert_eq!(place[from] == place[to], together);
                    assert!(!reaches[from][to] || place[to] <= place[from]);
                }
            }
        }
    }

    #[test]
    fn long_chains_do_not_overflow() {
        let length = 1_000_000;
        let line: Vec<Vec<usize>> = (1..=length)
            .map(|next| (next < length).then_some(next).into_iter().collect())
            .collect();
        assert_eq!(components(&line).len(), length);
    }
}
