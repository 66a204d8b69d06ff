//! Lists: pages, their ends, and servers that have none.

use runner::ids::Id;
use runner::semaphore::{Limits, WorkflowFilter};
use serde_json::json;

use super::scripted::{Scene, Scripted};

fn workflow(n: u32) -> serde_json::Value {
    json!({"wf_id": format!("00000000-0000-4000-8000-{n:012}"), "triggered_by": 2, "branch_name": "main"})
}

/// A page of workflows whose `link` says, as the real one does, http and another host.
fn page(items: &[u32], next: Option<u32>, number: Option<u32>) -> Scene {
    let list: Vec<_> = items.iter().map(|n| workflow(*n)).collect();
    let next = next.map_or_else(String::new, |n| {
        format!("<http://evil.test/api/v1alpha/plumber-workflows?page={n}&page_size=2&project_id=x>; rel=\"next\", ")
    });
    let link = format!(
        "{next}<http://evil.test/x?page=1>; rel=\"first\", <http://evil.test/x?page=9>; rel=\"last\""
    );
    let number = number.map(|n| n.to_string());
    let mut headers = vec![("link", link.as_str())];
    if let Some(number) = &number {
        headers.push(("page-number", number.as_str()));
    }
    Scene::answer(200, &headers, &json!(list).to_string())
}

fn filter(limit: usize) -> WorkflowFilter {
    WorkflowFilter::of_project(
        Id::parse("11111111-1111-4111-8111-111111111111").unwrap(),
        limit,
    )
}

/// The last digits of what was listed, whether that was all, and how many pages it took.
async fn listed(scenes: Vec<Scene>, limit: usize) -> (Vec<u32>, bool, u32) {
    let (client, _) = Scripted::client(scenes);
    let listing = client.list_workflows(&filter(limit)).await.unwrap();
    let numbers = listing
        .items
        .iter()
        .map(|w| w.id.as_str()[24..].parse().unwrap())
        .collect();
    assert_eq!(
        listing.response.as_array().unwrap().len(),
        listing.items.len()
    );
    (numbers, listing.complete, listing.pages)
}

#[tokio::test]
async fn all_pages_are_read_each_item_once() {
    // A new workflow came while the list was read: 2 shows twice.
    let scenes = vec![
        page(&[1, 2], Some(2), Some(1)),
        page(&[2, 3], Some(3), Some(2)),
        page(&[4], None, Some(3)),
    ];
    assert_eq!(listed(scenes, 100).await, (vec![1, 2, 3, 4], true, 3));
}

#[tokio::test]
async fn a_limit_ends_the_reading_and_is_said() {
    let scenes = vec![page(&[1, 2], Some(2), Some(1))];
    assert_eq!(listed(scenes, 2).await, (vec![1, 2], false, 1));
    let scenes = vec![page(&[1, 2, 3], None, Some(1))];
    assert_eq!(listed(scenes, 2).await, (vec![1, 2], false, 1));
    let scenes = vec![page(&[1, 2], None, Some(1))];
    assert_eq!(listed(scenes, 2).await, (vec![1, 2], true, 1));
}

#[tokio::test]
async fn a_server_that_repeats_its_last_page_is_left() {
    let clamped = vec![page(&[1], Some(2), Some(1)), page(&[1], Some(3), Some(1))];
    assert_eq!(listed(clamped, 100).await, (vec![1], true, 2));
    let silent = vec![page(&[1], Some(2), None), page(&[1], Some(3), None)];
    assert_eq!(listed(silent, 100).await, (vec![1], true, 2));
    let backwards = vec![page(&[1], Some(2), Some(1)), page(&[2], Some(1), Some(2))];
    assert_eq!(listed(backwards, 100).await, (vec![1, 2], true, 2));
}

#[tokio::test]
async fn a_list_without_end_is_left_after_its_limit() {
    let scenes = (1..=9).map(|n| page(&[n], Some(n + 1), Some(n))).collect();
    let (client, script) = Scripted::client(scenes);
    let client = client.with_limits(Limits {
        pages_max: 3,
        ..Limits::default()
    });
    let listing = client.list_workflows(&filter(100)).await.unwrap();
    assert_eq!((listing.items.len(), listing.complete), (3, false));
    // Only the number of the page is taken from the server's link: host and the rest stay ours.
    let path = "/api/v1alpha/plumber-workflows?project_id=11111111-1111-4111-8111-111111111111&page_size=100";
    let expected = [
        path.to_owned(),
        format!("{path}&page=2"),
        format!("{path}&page=3"),
    ];
    assert_eq!(script.addresses(), expected);
}

#[tokio::test]
async fn two_promotion_events_of_the_same_looks_are_two_on_one_page_and_one_on_two() {
    let event = r#"{"name":"Staging","triggered_by":"u","triggered_at":{"seconds":5,"nanos":0},"status":"passed"}"#;
    let body = format!("[{event},{event}]");
    let next = "<http://x.test/?page=2>; rel=\"next\"";
    let id = Id::parse("11111111-1111-4111-8111-111111111111").unwrap();
    let (client, _) = Scripted::client(vec![
        Scene::answer(200, &[("link", next)], &body),
        Scene::answer(200, &[], &format!("[{event}]")),
    ]);
    let listing = client.list_promotions(&id, None, 10).await.unwrap();
    assert_eq!(listing.items.len(), 2);
}

#[tokio::test]
async fn projects_have_pages_of_their_own_kind() {
    let project = |n: u32| json!({"metadata": {"id": format!("00000000-0000-4000-8000-{n:012}"), "name": format!("p{n}")}});
    let (client, script) = Scripted::client(vec![
        Scene::answer(
            200,
            &[("x-page", "1"), ("x-has-more", "true")],
            &json!([project(1)]).to_string(),
        ),
        // What the token may not see is left out after the page was cut: it can be empty.
        Scene::answer(200, &[("x-page", "2"), ("x-has-more", "true")], "[]"),
        Scene::answer(
            200,
            &[("x-page", "3"), ("x-has-more", "false")],
            &json!([project(2)]).to_string(),
        ),
    ]);
    let listing = client.list_projects(100).await.unwrap();
    let names: Vec<&str> = listing.items.iter().map(|p| p.name.as_str()).collect();
    assert_eq!((names, listing.complete), (vec!["p1", "p2"], true));
    assert_eq!(script.addresses()[2], "/api/v1alpha/projects?page=3");
}

#[tokio::test]
async fn the_name_of_a_project_stays_one_segment() {
    let body = json!({"metadata": {"id": "00000000-0000-4000-8000-000000000001", "name": "a/b ?"},
        "spec": {"tasks": [{"id": "00000000-0000-4000-8000-000000000002", "name": "nightly"}]}});
    let (client, script) = Scripted::client(vec![Scene::answer(200, &[], &body.to_string())]);
    let project = client.project_by_name("a/b ?").await.unwrap().value;
    assert_eq!(project.tasks[0].name, "nightly");
    assert_eq!(script.addresses(), ["/api/v1alpha/projects/a%2Fb%20%3F"]);
    for name in ["", ".", ".."] {
        let (client, _) = Scripted::client(Vec::new());
        let error = client.project_by_name(name).await.unwrap_err();
        assert_eq!(error.fate, runner::semaphore::Fate::NotSent, "{name}");
    }
}
