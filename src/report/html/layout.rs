//! Where the steps of a graph stand: layers from left to right, few crossings, edges around what is
//! between.
//!
//! Pure and deterministic: the same graph is drawn the same way. It knows numbers only.

/// So many points are made for edges that pass layers; in a graph with more, they go straight.
const BENDS_MAX: usize = 3_000;
/// How often the layers are put in order, and how often they are moved.
const SWEEPS: usize = 8;
/// The space between two layers, between two steps, and around an edge that passes.
const LAYER_SPACE: f64 = 56.0;
const STEP_SPACE: f64 = 14.0;
const BEND_SPACE: f64 = 10.0;

/// A box to be placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Whether it stands behind everything else.
    pub(super) last: bool,
}

/// A box or a bend of an edge, in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) layer: usize,
    /// The left edge.
    pub(super) x: f64,
    /// The middle.
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A graph that was laid out.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// The boxes first, in their order, then the bends.
    pub(super) places: Vec<Place>,
    /// Each edge as the places that it passes, first and last its boxes.
    pub(super) edges: Vec<Vec<usize>>,
    pub(super) layers: usize,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Lays out boxes and the edges between them (from, to).
pub(super) fn lay_out(sizes: &[Size], edges: &[(usize, usize)]) -> Layout {
    let layers = layers_of(sizes, edges);
    let mut places: Vec<Place> = sizes
        .iter()
        .zip(&layers)
        .map(|(size, layer)| Place {
            layer: *layer,
            x: 0.0,
            y: 0.0,
            width: size.width,
            height: size.height,
        })
        .collect();
    let edges = bend(&mut places, edges);
    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, place) in places.iter().enumerate() {
        if let Some(row) = rows.get_mut(place.layer) {
            row.push(index);
        }
    }
    let neighbours = neighbours(places.len(), &edges);
    order(&mut rows, &neighbours);
    let mut laid = Layout {
        places,
        edges,
        layers: count,
        ..Layout::default()
    };
    columns(&mut laid, &rows);
    stack(&mut laid, &rows);
    for sweep in 0..SWEEPS {
        align(&mut laid, &rows, &neighbours, sweep % 2 == 0);
    }
    frame(&mut laid);
    laid
}

/// The layer of each box: behind all that it needs. What is part of a circle stands in front.
fn layers_of(sizes: &[Size], edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0_usize; sizes.len()];
    let mut open = vec![0_usize; sizes.len()];
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    for (from, to) in edges {
        if let (Some(open), Some(behind)) = (open.get_mut(*to), behind.get_mut(*from)) {
            *open += 1;
            behind.push(*to);
        }
    }
    let is_open = |(index, open): (usize, &usize)| (*open == 0).then_some(index);
    let mut ready: Vec<usize> = open.iter().enumerate().filter_map(is_open).collect();
    while let Some(at) = ready.pop() {
        let next = layers.get(at).map_or(1, |layer| layer + 1);
        for to in behind.get(at).into_iter().flatten() {
            if let (Some(layer), Some(open)) = (layers.get_mut(*to), open.get_mut(*to)) {
                *layer = (*layer).max(next);
                *open = open.saturating_sub(1);
                if *open == 0 {
                    ready.push(*to);
                }
            }
        }
    }
    let first = |last: bool| {
        let of_it = sizes
            .iter()
            .zip(&layers)
            .filter(move |(size, _)| size.last == last);
        of_it.map(|(_, layer)| layer + 1).max().unwrap_or(0)
    };
    let behind_all = first(false);
    for (size, layer) in sizes.iter().zip(&mut layers) {
        if size.last {
            *layer += behind_all;
        }
    }
    layers
}

/// Gives edges that pass layers a bend in each.
fn bend(places: &mut Vec<Place>, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let layer = |places: &[Place], at: usize| places.get(at).map_or(0, |place| place.layer);
    let between: usize = edges
        .iter()
        .map(|(from, to)| layer(places, *to).saturating_sub(layer(places, *from) + 1))
        .sum();
    let mut bent = Vec::new();
    for (from, to) in edges {
        let mut path = vec![*from];
        if between <= BENDS_MAX {
            for layer in layer(places, *from) + 1..layer(places, *to) {
                path.push(places.len());
                places.push(Place {
                    layer,
                    x: 0.0,
                    y: 0.0,
                    width: 0.0,
                    height: 2.0,
                });
            }
        }
        path.push(*to);
        bent.push(path);
    }
    bent
}

/// What stands before and behind each place.
struct Neighbours {
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
}

fn neighbours(count: usize, edges: &[Vec<usize>]) -> Neighbours {
    let mut all = Neighbours {
        before: vec![Vec::new(); count],
        behind: vec![Vec::new(); count],
    };
    for pair in edges.iter().flat_map(|path| path.windows(2)) {
        if let [from, to] = pair
            && let (Some(behind), Some(before)) =
                (all.behind.get_mut(*from), all.before.get_mut(*to))
        {
            behind.push(*to);
            before.push(*from);
        }
    }
    all
}

/// Puts each layer in the order of what its places hang on, forth and back.
fn order(rows: &mut [Vec<usize>], neighbours: &Neighbours) {
    let count = neighbours.before.len();
    let mut at: Vec<f64> = vec![0.0; count];
    let number = |row: &[usize], at: &mut Vec<f64>| {
        for (position, index) in row.iter().enumerate() {
            if let Some(at) = at.get_mut(*index) {
                *at = position as f64;
            }
        }
    };
    for row in rows.iter() {
        number(row, &mut at);
    }
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        let side = if forth {
            &neighbours.before
        } else {
            &neighbours.behind
        };
        let mut sorted = |row: &mut Vec<usize>| {
            let mut keyed: Vec<(f64, usize)> = row
                .iter()
                .map(|index| {
                    let own = at.get(*index).copied().unwrap_or(0.0);
                    (mean(side, *index, &at).unwrap_or(own), *index)
                })
                .collect();
            // A stable sort: equals keep the order of the plan.
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *row = keyed.into_iter().map(|(_, index)| index).collect();
            number(row, &mut at);
        };
        if forth {
            rows.iter_mut().for_each(&mut sorted);
        } else {
            rows.iter_mut().rev().for_each(&mut sorted);
        }
    }
}

/// The mean of the values of the neighbours on one side.
fn mean(side: &[Vec<usize>], index: usize, values: &[f64]) -> Option<f64> {
    let all = side.get(index)?;
    let sum: f64 = all.iter().filter_map(|at| values.get(*at)).sum();
    (!all.is_empty()).then(|| sum / all.len() as f64)
}

fn columns(laid: &mut Layout, rows: &[Vec<usize>]) {
    let mut x = 0.0;
    for row in rows {
        let widths = row.iter().filter_map(|index| laid.places.get(*index));
        let width = widths.map(|place| place.width).fold(0.0, f64::max);
        for index in row {
            if let Some(place) = laid.places.get_mut(*index) {
                place.x = x;
                if place.height < STEP_SPACE {
                    place.width = width;
                }
            }
        }
        x += width + LAYER_SPACE;
    }
    laid.width = (x - LAYER_SPACE).max(0.0);
}

/// How far apart the middles of two places are at least.
fn apart(above: &Place, below: &Place) -> f64 {
    let bend = above.height.min(below.height) < STEP_SPACE;
    let space = if bend { BEND_SPACE } else { STEP_SPACE };
    f64::midpoint(above.height, below.height) + space
}

fn stack(laid: &mut Layout, rows: &[Vec<usize>]) {
    for row in rows {
        let mut above: Option<Place> = None;
        for index in row {
            if let Some(place) = laid.places.get_mut(*index) {
                place.y = above.map_or(0.0, |above| above.y + apart(&above, place));
                above = Some(*place);
            }
        }
        let middle = above.map_or(0.0, |last| last.y / 2.0);
        for index in row {
            if let Some(place) = laid.places.get_mut(*index) {
                place.y -= middle;
            }
        }
    }
}

/// Moves each place towards what it hangs on, as far as those beside it let it.
fn align(laid: &mut Layout, rows: &[Vec<usize>], neighbours: &Neighbours, forth: bool) {
    let side = if forth {
        &neighbours.before
    } else {
        &neighbours.behind
    };
    let mut align_row = |row: &Vec<usize>| {
        let values: Vec<f64> = laid.places.iter().map(|place| place.y).collect();
        let wanted = row.iter().map(|index| mean(side, *index, &values));
        let wanted: Vec<Option<f64>> = wanted.collect();
        let mut above: Option<Place> = None;
        let mut pushed = 0.0;
        for (index, wanted) in row.iter().zip(&wanted) {
            if let Some(place) = laid.places.get_mut(*index) {
                let free = above.map(|above| above.y + apart(&above, place));
                // What hangs on nothing stays close to what stands above it.
                let own = place.y.min(free.unwrap_or(place.y));
                place.y = wanted.unwrap_or(own).max(free.unwrap_or(f64::MIN));
                pushed += place.y - wanted.unwrap_or(place.y);
                above = Some(*place);
            }
        }
        // Those below were pushed down: all share it.
        let share = pushed / row.len().max(1) as f64;
        for index in row {
            if let Some(place) = laid.places.get_mut(*index) {
                place.y -= share;
            }
        }
    };
    // What is moved for each layer looks at where the layer before it stands now.
    if forth {
        rows.iter().for_each(&mut align_row);
    } else {
        rows.iter().rev().for_each(&mut align_row);
    }
}

/// Moves everything to where the drawing begins, and says how large it is.
fn frame(laid: &mut Layout) {
    let top = |place: &Place| place.y - place.height / 2.0;
    let first = laid.places.iter().map(top).fold(f64::MAX, f64::min);
    let mut height: f64 = 0.0;
    for place in &mut laid.places {
        place.y -= first;
        height = height.max(place.y + place.height / 2.0);
    }
    laid.height = height;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(count: usize) -> Vec<Size> {
        let size = Size {
            width: 100.0,
            height: 34.0,
            last: false,
        };
        vec![size; count]
    }

    #[test]
    fn what_is_needed_stands_before_what_needs_it_and_nothing_overlaps() {
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4), (0, 4)];
        let mut sizes = boxes(6);
        sizes[5].last = true;
        let laid = lay_out(&sizes, &edges);
        let layers: Vec<usize> = laid.places.iter().take(6).map(|p| p.layer).collect();
        assert_eq!(layers, [0, 1, 1, 2, 3, 4]);
        assert_eq!(laid.edges[4].len(), 3, "a bend in the layer between");
        for (a, one) in laid.places.iter().enumerate() {
            for other in laid
                .places
                .iter()
                .skip(a + 1)
                .filter(|p| p.layer == one.layer)
            {
                let (above, below) = if one.y < other.y {
                    (one, other)
                } else {
                    (other, one)
                };
                assert!(below.y - above.y >= apart(above, below) - 0.001);
            }
        }
        assert!(laid.width > 0.0 && laid.height >= 82.0);
    }

    #[test]
    fn a_circle_is_drawn_too() {
        let laid = lay_out(&boxes(3), &[(0, 1), (1, 0), (1, 2)]);
        assert_eq!(laid.places.len(), 3);
        assert!(lay_out(&[], &[]).places.is_empty());
    }

    #[test]
    fn a_large_graph_is_laid_out_with_bounded_work() {
        let edges: Vec<(usize, usize)> = (0..1_000)
            .flat_map(|at| (at + 1..at + 11).map(move |to| (at, to)))
            .filter(|(_, to)| *to < 1_000)
            .collect();
        let laid = lay_out(&boxes(1_000), &edges);
        assert!(laid.places.len() <= 1_000 + BENDS_MAX);
    }
}
