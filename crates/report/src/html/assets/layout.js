// A layered layout: rank by longest path, order by barycentres, place by least squares in order.
// `nodes`: [{ id, width, height }], `edges`: [[from, to]] by index. Edges that close a cycle are
// left out of the ranking.
function layered(nodes, edges) {
  const count = nodes.length;
  const out = nodes.map(() => []);
  edges.forEach(([from, to]) => out[from].push(to));
  const { order, back } = depthFirst(count, out);
  const rank = new Array(count).fill(0);
  for (const from of order) {
    for (const to of out[from]) if (!back.has(from * count + to)) rank[to] = Math.max(rank[to], rank[from] + 1);
  }
  // Long edges get a waypoint per rank, unless there are too many.
  const items = nodes.map((node, index) => ({ ...node, rank: rank[index], up: [], down: [] }));
  const span = edges.reduce((sum, [from, to]) => sum + Math.max(0, rank[to] - rank[from] - 1), 0);
  const waypoints = span <= 20000;
  const routes = edges.map(([from, to]) => {
    if (back.has(from * count + to) || !waypoints) return link(items, [from, to]);
    const route = [from];
    for (let r = rank[from] + 1; r < rank[to]; r++) {
      items.push({ id: null, width: 8, height: 0, rank: r, up: [], down: [] });
      route.push(items.length - 1);
    }
    return link(items, [...route, to]);
  });
  const layers = [];
  items.forEach((item, index) => (layers[item.rank] ||= []).push(index));
  orderLayers(items, layers);
  placeLayers(items, layers);
  let top = 0;
  for (const layer of layers) {
    const height = Math.max(18, ...layer.map((index) => items[index].height));
    for (const index of layer) items[index].y = top + height / 2;
    top += height + 44;
  }
  return { items, routes, height: top };
}

function link(items, route) {
  for (let i = 1; i < route.length; i++) {
    items[route[i - 1]].down.push(route[i]);
    items[route[i]].up.push(route[i - 1]);
  }
  return route;
}

function depthFirst(count, out) {
  const state = new Uint8Array(count), order = [], back = new Set();
  for (let root = 0; root < count; root++) {
    if (state[root]) continue;
    const stack = [[root, 0]];
    state[root] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1];
      if (top[1] < out[top[0]].length) {
        const next = out[top[0]][top[1]++];
        if (state[next] === 0) { state[next] = 1; stack.push([next, 0]); }
        else if (state[next] === 1) back.add(top[0] * count + next);
      } else {
        state[top[0]] = 2;
        order.push(top[0]);
        stack.pop();
      }
    }
  }
  return { order: order.reverse(), back };
}

function orderLayers(items, layers) {
  const position = new Float64Array(items.length);
  const number = (layer) => layer.forEach((index, place) => (position[index] = place));
  layers.forEach(number);
  const mean = (list) => list.reduce((sum, index) => sum + position[index], 0) / list.length;
  for (let sweep = 0; sweep < 6; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wish = new Map(layer.map((index) => {
        const near = down ? items[index].up : items[index].down;
        return [index, near.length ? mean(near) : position[index]];
      }));
      layer.sort((a, b) => wish.get(a) - wish.get(b) || position[a] - position[b]);
      number(layer);
    }
  }
}

function placeLayers(items, layers) {
  for (const layer of layers) {
    let left = 0;
    for (const index of layer) {
      items[index].x = left + items[index].width / 2;
      left += items[index].width + 18;
    }
  }
  for (let sweep = 0; sweep < 8; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wishes = layer.map((index) => {
        const near = sweep % 2 ? items[index].down : items[index].up;
        return near.length ? near.reduce((sum, other) => sum + items[other].x, 0) / near.length : items[index].x;
      });
      // Least squares with the order and the gaps kept: pool neighbours that want to cross.
      const offsets = [];
      let offset = 0;
      layer.forEach((index, place) => {
        if (place) offset += (items[layer[place - 1]].width + items[index].width) / 2 + 18;
        offsets.push(offset);
      });
      const pools = [];
      wishes.forEach((wish, place) => {
        pools.push({ sum: wish - offsets[place], size: 1 });
        while (pools.length > 1) {
          const b = pools[pools.length - 1], a = pools[pools.length - 2];
          if (a.sum / a.size <= b.sum / b.size) break;
          pools.splice(-2, 2, { sum: a.sum + b.sum, size: a.size + b.size });
        }
      });
      let place = 0;
      for (const pool of pools) {
        for (let i = 0; i < pool.size; i++, place++) items[layer[place]].x = pool.sum / pool.size + offsets[place];
      }
    }
  }
}
