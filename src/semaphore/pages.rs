//! Lists that come in pages.
//!
//! Duty: to read all pages up to a limit, each item once. Invariants: an address of the server is never
//! followed (it is plain http there): only the number of the next page is taken from it; and a server
//! without end is left after `pages_max`. It must not know what is listed.

use std::collections::HashSet;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::client::Client;
use super::error::Error;
use super::json::json_of;
use super::operation::Operation;
use super::transport::Request;
use super::wire::fields::kind_of;
use super::wire::{Odd, scrub};

/// What a list gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The items, newest first as the server orders them, each once.
    pub items: Vec<T>,
    /// Their JSON, without the values of environment variables.
    pub response: Value,
    /// The server's clock at the first page.
    pub server_date: Option<Timestamp>,
    /// Whether these are all: false when a limit ended the reading.
    pub complete: bool,
    /// How many pages were read.
    pub pages: u32,
}

/// How a list is read.
pub(super) struct Paged<T> {
    pub(super) operation: Operation,
    /// The request of the first page.
    pub(super) first: Request,
    /// At most so many items.
    pub(super) limit: usize,
    pub(super) parse: fn(&Value) -> Result<T, Odd>,
    /// What tells items apart.
    pub(super) key: fn(&T) -> Key,
    /// The number of the next page, given the headers and the number of this one.
    pub(super) next: fn(&HeaderMap, u32) -> Option<u32>,
}

/// What tells an item from the others: new items shift the pages, so that one can show twice.
pub(super) enum Key {
    /// An id: it names one item, wherever it shows.
    Id(String),
    /// The looks of an item without an id: on one page two of the same looks are two items.
    Looks(String),
}

/// What was read so far.
struct Gathered<T> {
    items: Vec<T>,
    raw: Vec<Value>,
    seen: HashSet<String>,
    /// Whether there was one more than asked for.
    over: bool,
}

impl<T> Gathered<T> {
    /// Takes a page; gives how many of its items are new.
    fn take(&mut self, paged: &Paged<T>, page: Vec<Value>) -> Result<usize, Odd> {
        let mut fresh = 0;
        let mut looks: Vec<String> = Vec::new();
        for value in page {
            let item = (paged.parse)(&value)?;
            let known = match (paged.key)(&item) {
                Key::Id(id) => !self.seen.insert(id),
                Key::Looks(item) => {
                    let known = self.seen.contains(&item);
                    looks.push(item);
                    known
                }
            };
            if known {
                continue;
            }
            fresh += 1;
            self.over = self.items.len() >= paged.limit;
            if self.over {
                break;
            }
            self.items.push(item);
            self.raw.push(scrub::without_values(value));
        }
        self.seen.extend(looks);
        Ok(fresh)
    }
}

impl Client {
    /// Reads all pages up to the limit.
    pub(super) async fn list<T>(&self, paged: Paged<T>) -> Result<Listing<T>, Error> {
        let mut gathered = Gathered {
            items: Vec::new(),
            raw: Vec::new(),
            seen: HashSet::new(),
            over: false,
        };
        let mut server_date = None;
        let (mut page, mut pages) = (1, 0);
        loop {
            let request = match page {
                1 => paged.first.clone(),
                _ => paged.first.clone().query("page", page.to_string()),
            };
            let whole = self.whole(paged.operation, request).await?;
            pages += 1;
            server_date = server_date.or_else(|| whole.date());
            let odd = |odd: Odd| self.odd(paged.operation, &whole, &odd);
            let values = match json_of(&whole.body).map_err(odd)? {
                Value::Array(values) => values,
                other => {
                    let kind = kind_of(&other);
                    return Err(odd(Odd(format!("the answer is {kind}, not a list"))));
                }
            };
            let is_empty = values.is_empty();
            let fresh = gathered.take(&paged, values).map_err(odd)?;
            // A page beyond the end is answered with the last one again.
            let repeated = match page_number(&whole.headers) {
                Some(number) => number < page,
                None => page > 1 && fresh == 0 && !is_empty,
            };
            let next = (paged.next)(&whole.headers, page);
            let next = next.filter(|next| *next > page && !repeated);
            let full = gathered.over || gathered.items.len() >= paged.limit;
            match next {
                Some(next) if !full && pages < self.limits().pages_max => page = next,
                more => {
                    return Ok(Listing {
                        complete: !gathered.over && more.is_none(),
                        items: gathered.items,
                        response: Value::Array(gathered.raw),
                        server_date,
                        pages,
                    });
                }
            }
        }
    }
}

fn page_number(headers: &HeaderMap) -> Option<u32> {
    headers
        .get("page-number")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The number of the next page by the `link` headers.
pub(super) fn by_link(headers: &HeaderMap, _page: u32) -> Option<u32> {
    headers
        .get_all(http::header::LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(next_page)
}

/// The number of the next page by the header that lists of projects have.
pub(super) fn by_has_more(headers: &HeaderMap, page: u32) -> Option<u32> {
    let more = headers.get("x-has-more")?.to_str().ok()?;
    more.trim()
        .eq_ignore_ascii_case("true")
        .then_some(page.saturating_add(1))
}

/// The `page` of the link whose relation is `next`.
fn next_page(header: &str) -> Option<u32> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let link = rest.get(start + 1..)?;
        let end = link.find('>')?;
        let (target, tail) = (link.get(..end)?, link.get(end + 1..)?);
        let parameters_end = end_of_parameters(tail);
        if is_next(tail.get(..parameters_end)?) {
            return page_of(target);
        }
        rest = tail.get(parameters_end..)?;
    }
    None
}

/// Where the comma stands that ends the parameters of a link; commas in quotes do not count.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else {
            return false;
        };
        name.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

fn page_of(target: &str) -> Option<u32> {
    let (_, query) = target.split_once('?')?;
    let query = query.split('#').next()?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("page="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_of_the_next_page_is_taken() {
        for (header, expected) in [
            (
                "<http://acme.test/api/v1alpha/pipelines?branch_name=a,b&page=2&page_size=1>; rel=\"next\", \
                 <http://acme.test/x?page=1>; rel=\"first\"",
                Some(2),
            ),
            (
                "<http://acme.test/x?page=1>; rel=\"first\", <http://e.test/?page_size=3&page=7>; rel=\"next\"",
                Some(7),
            ),
            (
                "<http://acme.test/x?page=4>; title=\"a, rel=next\"; rel=\"last\"",
                None,
            ),
            ("<http://acme.test/x?page=4>; rel=\"prev next\"", Some(4)),
            ("<http://acme.test/x?page=4>; REL=next", Some(4)),
            ("<http://acme.test/x?mypage=4>; rel=next", None),
            ("<http://acme.test/x?page=99999999999>; rel=next", None),
            ("<http://acme.test/x?page=-1>; rel=next", None),
            ("<http://acme.test/x", None),
            ("rel=next; page=4", None),
            ("", None),
        ] {
            assert_eq!(next_page(header), expected, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(header in "[<>;,=\"? a-z&0-9é]{0,60}|.{0,60}") {
            let _ = next_page(&header);
        }
    }
}
