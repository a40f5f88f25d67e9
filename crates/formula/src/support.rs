//! What of a formula was seen to hold in one run.

use rustc_hash::FxHashMap;

use crate::{Graph, Literal, Node, NodeIndex, Values};

impl Graph {
    /// The support of `goal` in the run with these values: what is left of the formula when every
    /// disjunct that was false is dropped.
    ///
    /// `goal` must be true under `values`. The result S is true under `values`, implies `goal`, and
    /// refers to a variable only with the sign it has under `values`: it is the disjunction of all
    /// the reasons for `goal` that this run displayed.
    pub fn support(&mut self, goal: Literal, values: &Values) -> Literal {
        assert!(values.of(goal), "the support of a formula exists where it is true");
        // Nodes are numbered after their children, so the nodes needed can be found from the top
        // down and built from the bottom up, without recursion.
        let mut needed = vec![false; goal.node().index() + 1];
        needed[goal.node().index()] = true;
        for index in (0..needed.len()).rev() {
            if needed[index] {
                let node = NodeIndex(index as u32);
                if let Node::And(children) = self.node(node) {
                    let holds = values.of(Literal::new(node, false));
                    for &child in children {
                        if holds || !values.of(child) {
                            needed[child.node().index()] = true;
                        }
                    }
                }
            }
        }
        let mut built: FxHashMap<NodeIndex, Literal> = FxHashMap::default();
        for (index, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
            let node = NodeIndex(index as u32);
            let itself = Literal::new(node, false);
            let holds = values.of(itself);
            let support = match self.node(node) {
                Node::True => Literal::TRUE,
                Node::Variable(_) => {
                    if holds {
                        itself
                    } else {
                        !itself
                    }
                }
                Node::And(children) => {
                    let reasons: Vec<Literal> = children
                        .iter()
                        .filter(|child| holds || !values.of(**child))
                        .map(|child| built[&child.node()])
                        .collect();
                    if holds { self.and(reasons) } else { self.or(reasons) }
                }
            };
            built.insert(node, support);
        }
        built[&goal.node()]
    }
}
