//! The graph of the steps as a drawing: boxes, and curves between them.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::layout::{Layout, Place, Size, lay_out};
use crate::report::account::{Account, Step};
use crate::report::critical_path::critical_path;
use crate::report::view::RunView;
use crate::text;

/// A graph of more steps is a wall: it is not drawn.
const BOXES_MAX: usize = 1_000;
/// The same for edges.
const EDGES_MAX: usize = 5_000;
/// Longer ids are cut in their box; the list has them whole.
const LABEL_CHARACTERS_MAX: usize = 30;
const BOX_HEIGHT: f64 = 34.0;
const CHARACTER_WIDTH: f64 = 7.6;
const BOX_WIDTH_MIN: f64 = 96.0;
/// What stands beside the label: the mark and the space around.
const BOX_MARGIN: f64 = 42.0;
const FRAME: f64 = 8.0;

/// What is drawn.
#[derive(Debug, Serialize)]
pub(super) struct Drawing {
    width: f64,
    height: f64,
    layers: usize,
    boxes: Vec<Box>,
    curves: Vec<Curve>,
    /// How many steps are not drawn since there are too many.
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct Box {
    n: usize,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    label: String,
    id: String,
    state: &'static str,
    mark: &'static str,
    critical: bool,
    finally: bool,
}

#[derive(Debug, Serialize)]
struct Curve {
    path: String,
    kind: &'static str,
}

/// Draws the steps of a run; those that are a part of another one are drawn with it.
pub(super) fn drawing(view: &RunView, account: &Account) -> Drawing {
    let steps: Vec<(&String, &Step)> = view
        .steps
        .keys()
        .zip(&account.steps)
        .filter(|(_, step)| step.parent.is_none())
        .collect();
    let index: HashMap<&str, usize> = steps
        .iter()
        .enumerate()
        .map(|(index, (id, _))| (id.as_str(), index))
        .collect();
    let path = critical_path(view);
    let (edges, kinds) = edges(view, &steps, (&index, &path));
    if steps.len() > BOXES_MAX || edges.len() > EDGES_MAX {
        return Drawing {
            left_out: steps.len(),
            ..drawn(&[], &Layout::default(), &[])
        };
    }
    let labels: Vec<String> = steps.iter().map(|(_, step)| label(account, step)).collect();
    let sizes: Vec<Size> = labels
        .iter()
        .zip(&steps)
        .map(|(label, (_, step))| Size {
            width: (label.chars().count() as f64)
                .mul_add(CHARACTER_WIDTH, BOX_MARGIN)
                .max(BOX_WIDTH_MIN),
            height: BOX_HEIGHT,
            last: step.finally,
        })
        .collect();
    let laid = lay_out(&sizes, &edges);
    let named: Vec<(&Step, String)> = steps.iter().map(|(_, step)| *step).zip(labels).collect();
    drawn(&named, &laid, &kinds)
}

/// Whether two steps follow each other in the critical path.
fn is_link(path: &[String], from: Option<&str>, to: &str) -> bool {
    path.windows(2)
        .any(|pair| matches!(pair, [a, b] if Some(a.as_str()) == from && b == to))
}

/// The edges as numbers, and of which kind each is.
fn edges(
    view: &RunView,
    steps: &[(&String, &Step)],
    (index, path): (&HashMap<&str, usize>, &[String]),
) -> (Vec<(usize, usize)>, Vec<&'static str>) {
    let mut all = Vec::new();
    let mut kinds = Vec::new();
    for (to, (id, _)) in steps.iter().enumerate() {
        let Some(info) = view.steps.get(id.as_str()).map(|step| &step.info) else {
            continue;
        };
        let undone = info.undoes.iter().map(|id| (id, "undo"));
        let needs = info.needs.iter().map(|(id, _)| (id, "need"));
        for (from, kind) in needs.chain(undone) {
            if let Some(from) = index.get(from.as_str()).filter(|from| **from != to) {
                all.push((*from, to));
                let before = steps.get(*from).map(|(id, _)| id.as_str());
                let critical = kind == "need" && is_link(path, before, id);
                kinds.push(if critical { "critical" } else { kind });
            }
        }
    }
    (all, kinds)
}

/// The id, and how many parts it has.
fn label(account: &Account, step: &Step) -> String {
    let id = text::cut(&step.id, LABEL_CHARACTERS_MAX);
    match account.parts_of(step).count() {
        0 => id,
        parts => format!("{id} ×{parts}"),
    }
}

fn drawn(named: &[(&Step, String)], laid: &Layout, kinds: &[&'static str]) -> Drawing {
    Drawing {
        width: (laid.width + 2.0 * FRAME).round(),
        height: (laid.height + 2.0 * FRAME).round(),
        layers: laid.layers,
        left_out: 0,
        boxes: named
            .iter()
            .zip(&laid.places)
            .map(|((step, label), place)| Box {
                n: step.n,
                x: (place.x + FRAME).round(),
                y: (place.y - place.height / 2.0 + FRAME).round(),
                width: place.width.round(),
                height: place.height,
                label: label.clone(),
                id: step.id.clone(),
                state: step.state,
                mark: step.mark,
                critical: step.critical,
                finally: step.finally,
            })
            .collect(),
        curves: laid
            .edges
            .iter()
            .zip(kinds)
            .map(|(edge, kind)| Curve {
                path: curve(laid, edge),
                kind,
            })
            .collect(),
    }
}

/// A line through the places of an edge that leaves and arrives level.
fn curve(laid: &Layout, edge: &[usize]) -> String {
    let places: Vec<&Place> = edge.iter().filter_map(|at| laid.places.get(*at)).collect();
    let mut path = String::new();
    let point = |x: f64, y: f64| format!("{} {}", (x + FRAME).round(), (y + FRAME).round());
    for (n, pair) in places.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        let right = from.x + from.width;
        // An arrow needs some room before the box.
        let arrives = n + 2 == places.len();
        let left = if arrives { to.x - 5.0 } else { to.x };
        if n == 0 {
            let _ = write!(path, "M{}", point(right, from.y));
        }
        let middle = f64::midpoint(right, left);
        let _ = write!(
            path,
            "C{} {} {}",
            point(middle, from.y),
            point(middle, to.y),
            point(left, to.y)
        );
        if !arrives {
            let _ = write!(path, "L{}", point(to.x + to.width, to.y));
        }
    }
    path
}
