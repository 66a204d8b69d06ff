//! Makes `count()` of no nodes 0, as the RFC says; the crate makes it nothing, which equals no number.
//!
//! A comparison of a count with a number is asked together with whether there is any node at all.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, Test,
    TestFunction,
};

/// Whether a comparison holds no count, or a count beside a literal.
pub(super) fn comparable(left: &Comparable, right: &Comparable) -> bool {
    let is_count = |side: &Comparable| matches!(side, Comparable::Function(TestFunction::Count(_)));
    let is_literal = |side: &Comparable| matches!(side, Comparable::Literal(_));
    (!is_count(left) || is_literal(right)) && (!is_count(right) || is_literal(left))
}

/// The same query with counts as the RFC has them.
pub(super) fn corrected(query: JpQuery) -> JpQuery {
    JpQuery {
        segments: query.segments.into_iter().map(segment).collect(),
    }
}

fn segment(inner: Segment) -> Segment {
    match inner {
        Segment::Descendant(below) => Segment::Descendant(Box::new(segment(*below))),
        Segment::Selector(one) => Segment::Selector(selector(one)),
        Segment::Selectors(list) => Segment::Selectors(list.into_iter().map(selector).collect()),
    }
}

fn selector(inner: Selector) -> Selector {
    match inner {
        Selector::Filter(asked) => Selector::Filter(filter(asked)),
        Selector::Name(_) | Selector::Wildcard | Selector::Index(_) | Selector::Slice(..) => inner,
    }
}

fn filter(inner: Filter) -> Filter {
    match inner {
        Filter::Or(list) => Filter::Or(list.into_iter().map(filter).collect()),
        Filter::And(list) => Filter::And(list.into_iter().map(filter).collect()),
        Filter::Atom(FilterAtom::Filter { expr, not }) => {
            Filter::Atom(FilterAtom::filter(filter(*expr), not))
        }
        Filter::Atom(FilterAtom::Test { expr, not }) => {
            Filter::Atom(FilterAtom::test(test(*expr), not))
        }
        Filter::Atom(FilterAtom::Comparison(asked)) => comparison(*asked),
    }
}

fn test(inner: Test) -> Test {
    match inner {
        Test::RelQuery(list) => Test::RelQuery(list.into_iter().map(segment).collect()),
        Test::AbsQuery(query) => Test::AbsQuery(corrected(query)),
        // The arguments of `match` and `search` are single values, which hold no filters.
        Test::Function(_) => inner,
    }
}

fn comparison(asked: Comparison) -> Filter {
    let (left, right) = asked.vals();
    let (nodes, zero_holds) = match (counted(left), counted(right)) {
        (Some(nodes), _) => (nodes, holds_for_zero(&asked, right, false)),
        (_, Some(nodes)) => (nodes, holds_for_zero(&asked, left, true)),
        (None, None) => return Filter::Atom(FilterAtom::cmp(Box::new(asked))),
    };
    let any = Filter::Atom(FilterAtom::test(nodes, zero_holds));
    let asked = Filter::Atom(FilterAtom::cmp(Box::new(asked)));
    let both = match zero_holds {
        true => Filter::Or(vec![any, asked]),
        false => Filter::And(vec![any, asked]),
    };
    Filter::Atom(FilterAtom::filter(both, false))
}

fn counted(side: &Comparable) -> Option<Test> {
    match side {
        Comparable::Function(TestFunction::Count(FnArg::Test(nodes))) => {
            Some(test((**nodes).clone()))
        }
        Comparable::Function(_) | Comparable::Literal(_) | Comparable::SingularQuery(_) => None,
    }
}

/// Whether the comparison holds when the count is 0.
fn holds_for_zero(asked: &Comparison, other: &Comparable, count_is_right: bool) -> bool {
    let number = match other {
        Comparable::Literal(Literal::Int(n)) => i32::try_from(n.signum()).map(f64::from).ok(),
        Comparable::Literal(Literal::Float(n)) => Some(*n),
        _ => None,
    };
    let Some(number) = number else {
        return matches!(asked, Comparison::Ne(..));
    };
    let (left, right) = if count_is_right {
        (number, 0.0)
    } else {
        (0.0, number)
    };
    match asked {
        Comparison::Eq(..) => left == right,
        Comparison::Ne(..) => left != right,
        Comparison::Gt(..) => left > right,
        Comparison::Gte(..) => left >= right,
        Comparison::Lt(..) => left < right,
        Comparison::Lte(..) => left <= right,
    }
}
