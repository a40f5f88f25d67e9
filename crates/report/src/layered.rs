//! A layered layout of a directed graph: ranks by longest path, order by barycentres, places by
//! least squares with order and gaps kept. (The script of the HTML report does the same for the
//! part of a graph that is unfolded.)

/// Sizes of the nodes to place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Where the nodes are (their centres) and how large the whole is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) centres: Vec<(f64, f64)>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

const GAP_X: f64 = 18.0;
const GAP_Y: f64 = 44.0;

pub(crate) fn layout(sizes: &[Size], edges: &[(usize, usize)]) -> Layout {
    let (up, down) = neighbours(sizes.len(), edges);
    let ranks = ranks(sizes.len(), &down);
    let mut layers: Vec<Vec<usize>> = Vec::new();
    for (node, &rank) in ranks.iter().enumerate() {
        if layers.len() <= rank {
            layers.resize_with(rank + 1, Vec::new);
        }
        layers[rank].push(node);
    }
    order(&mut layers, &up, &down);
    let mut x = place(&layers, sizes, &up, &down);
    let left = x
        .iter()
        .zip(sizes)
        .map(|(x, size)| x - size.width / 2.0)
        .fold(f64::INFINITY, f64::min)
        .min(f64::MAX);
    let left = if left.is_finite() { left } else { 0.0 };
    let mut width: f64 = 0.0;
    for (x, size) in x.iter_mut().zip(sizes) {
        *x -= left;
        width = width.max(*x + size.width / 2.0);
    }
    let mut centres = vec![(0.0, 0.0); sizes.len()];
    let mut top = 0.0;
    for layer in &layers {
        let height = layer.iter().map(|&node| sizes[node].height).fold(18.0, f64::max);
        for &node in layer {
            centres[node] = (x[node], top + height / 2.0);
        }
        top += height + GAP_Y;
    }
    Layout { centres, width, height: (top - GAP_Y).max(0.0) }
}

fn neighbours(count: usize, edges: &[(usize, usize)]) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let mut up = vec![Vec::new(); count];
    let mut down = vec![Vec::new(); count];
    for &(from, to) in edges {
        down[from].push(to);
        up[to].push(from);
    }
    (up, down)
}

/// The longest path to each node; edges that close a cycle are not followed.
fn ranks(count: usize, down: &[Vec<usize>]) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; count];
    let mut finished = Vec::with_capacity(count);
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for root in 0..count {
        if state[root] != State::New {
            continue;
        }
        state[root] = State::Open;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.pop() {
            let Some(&to) = down[node].get(next) else {
                state[node] = State::Done;
                finished.push(node);
                continue;
            };
            stack.push((node, next + 1));
            match state[to] {
                State::New => {
                    forward.push((node, to));
                    state[to] = State::Open;
                    stack.push((to, 0));
                }
                State::Done => forward.push((node, to)),
                State::Open => {}
            }
        }
    }
    let mut out = vec![Vec::new(); count];
    for (from, to) in forward {
        out[from].push(to);
    }
    let mut ranks = vec![0; count];
    for &node in finished.iter().rev() {
        for &to in &out[node] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
        }
    }
    ranks
}

fn order(layers: &mut [Vec<usize>], up: &[Vec<usize>], down: &[Vec<usize>]) {
    let mut position = vec![0.0; up.len()];
    for layer in layers.iter() {
        for (place, &node) in layer.iter().enumerate() {
            position[node] = place as f64;
        }
    }
    for sweep in 0..6 {
        let count = layers.len();
        for step in 0..count {
            let index = if sweep % 2 == 0 { step } else { count - 1 - step };
            let near = if sweep % 2 == 0 { up } else { down };
            let wish = |node: usize| mean(&near[node], &position).unwrap_or(position[node]);
            let mut wishes: Vec<(f64, f64, usize)> =
                layers[index].iter().map(|&node| (wish(node), position[node], node)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            for (place, &(_, _, node)) in wishes.iter().enumerate() {
                position[node] = place as f64;
                layers[index][place] = node;
            }
        }
    }
}

fn mean(nodes: &[usize], of: &[f64]) -> Option<f64> {
    if nodes.is_empty() {
        return None;
    }
    Some(nodes.iter().map(|&node| of[node]).sum::<f64>() / nodes.len() as f64)
}

fn place(
    layers: &[Vec<usize>],
    sizes: &[Size],
    up: &[Vec<usize>],
    down: &[Vec<usize>],
) -> Vec<f64> {
    let mut x = vec![0.0; sizes.len()];
    let offsets: Vec<Vec<f64>> = layers
        .iter()
        .map(|layer| {
            let mut offset = 0.0;
            layer
                .iter()
                .enumerate()
                .map(|(index, &node)| {
                    if index > 0 {
                        let before = sizes[layer[index - 1]].width;
                        offset += (before + sizes[node].width) / 2.0 + GAP_X;
                    }
                    offset
                })
                .collect()
        })
        .collect();
    for (layer, offsets) in layers.iter().zip(&offsets) {
        for (&node, &offset) in layer.iter().zip(offsets) {
            x[node] = offset;
        }
    }
    for sweep in 0..8 {
        for step in 0..layers.len() {
            let index = if sweep % 2 == 0 { step } else { layers.len() - 1 - step };
            let near = if sweep % 2 == 0 { up } else { down };
            let layer = &layers[index];
            // Neighbours that want to cross are pooled and share their mean.
            let mut pools: Vec<(f64, usize)> = Vec::new();
            for (&node, &offset) in layer.iter().zip(&offsets[index]) {
                let wish = mean(&near[node], &x).unwrap_or(x[node]) - offset;
                pools.push((wish, 1));
                while let [.., before, last] = pools.as_mut_slice() {
                    if before.0 / before.1 as f64 <= last.0 / last.1 as f64 {
                        break;
                    }
                    let merged = (before.0 + last.0, before.1 + last.1);
                    *before = merged;
                    pools.pop();
                }
            }
            let mut place = 0;
            for (sum, size) in pools {
                for _ in 0..size {
                    x[layer[place]] = sum / size as f64 + offsets[index][place];
                    place += 1;
                }
            }
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_layer_do_not_overlap() {
        let sizes: Vec<Size> =
            (0..40).map(|n| Size { width: 40.0 + f64::from(n % 7) * 20.0, height: 24.0 }).collect();
        let edges: Vec<(usize, usize)> =
            (1..40).flat_map(|n| [(n / 3, n), (n / 5, n)]).filter(|(a, b)| a != b).collect();
        let layout = layout(&sizes, &edges);
        for a in 0..40 {
            for b in 0..a {
                let (one, two) = (layout.centres[a], layout.centres[b]);
                let apart = (one.0 - two.0).abs() >= (sizes[a].width + sizes[b].width) / 2.0 - 1e-6;
                assert!(one.1 != two.1 || apart, "{a} and {b}");
            }
        }
    }

    #[test]
    fn cycles_and_nothing_are_laid_out() {
        let size = Size { width: 10.0, height: 10.0 };
        layout(&[], &[]);
        let layout = layout(&[size; 3], &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        assert!(layout.centres[0].1 < layout.centres[1].1);
        assert!(layout.centres[1].1 < layout.centres[2].1);
    }
}
