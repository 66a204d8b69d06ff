//! Logs: the three ways in which a server has them, and what may go wrong on each.

use bytes::Bytes;
use runner::ids::Id;
use runner::semaphore::{
    Class, Client, Error, Happening, Limits, LogStream, Target, TransportError, Trouble,
};

use super::scripted::{Scene, Scripted};

const HERE: &str = "http://127.0.0.1:4000";
const CLOUD: &str = "https://acme.semaphore.test";
const SIGNED: &str =
    "https://acme.semaphore.test/api/v1/logs/x?jwt=aaaaaaaaaa.bbbbbbbbbb.cccccccccc";

fn job() -> Id {
    Id::parse("66611793-0200-4813-818c-03e453871053").unwrap()
}

fn short(happening: &Happening) -> String {
    match happening {
        Happening::JobStarted => "job_started".to_owned(),
        Happening::CommandStarted { directive } => format!("cmd_started {directive}"),
        Happening::Output(text) => format!("cmd_output {text}"),
        Happening::CommandFinished { exit_code, .. } => {
            format!("cmd_finished {}", exit_code.unwrap_or(-1))
        }
        Happening::JobFinished { result } => format!("job_finished {result}"),
        Happening::Other(word) => word.clone(),
    }
}

async fn all(stream: &mut LogStream) -> Result<Vec<String>, Error> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await? {
        events.push(short(&event.what));
    }
    Ok(events)
}

/// A whole log, each event in short.
pub(super) async fn in_short(client: &Client, job: &Id) -> Result<Vec<String>, Error> {
    let mut stream = client.log(job).await?;
    all(&mut stream).await
}

fn out(text: &str) -> String {
    format!("{{\"event\":\"cmd_output\",\"timestamp\":1,\"output\":\"{text}\"}}")
}

#[tokio::test]
async fn a_log_of_events_is_complete_when_the_job_ended() {
    for (last, complete) in [("job_finished", true), ("cmd_output", false)] {
        let body = format!("{{ \"events\": [{},{{\"event\":\"{last}\"}}] }}", out("a"));
        let (client, _) = Scripted::client(vec![Scene::answer(200, &[], &body)]);
        let mut stream = client.log(&job()).await.unwrap();
        assert_eq!(all(&mut stream).await.unwrap().len(), 2);
        assert_eq!(stream.is_complete(), complete, "{last}");
        assert_eq!(client.usage().bytes, stream.bytes());
    }
}

#[tokio::test]
async fn a_log_behind_a_redirect_is_read_in_parts_without_the_token() {
    let part = |text: &str, next: &str| {
        Scene::answer(
            200,
            &[],
            &format!("{{\"events\":[{}],\"next\":{next}}}", out(text)),
        )
    };
    let (client, script) = Scripted::client_of(
        CLOUD,
        vec![
            Scene::answer(302, &[("location", SIGNED)], ""),
            part("a", "10"),
            part("b", "20"),
            part("c", "null"),
        ],
    );
    let mut stream = client.log(&job()).await.unwrap();
    let events = all(&mut stream).await.unwrap();
    assert_eq!(events, ["cmd_output a", "cmd_output b", "cmd_output c"]);
    assert!(stream.is_complete());
    let expected = [
        "/api/v1alpha/logs/66611793-0200-4813-818c-03e453871053".to_owned(),
        SIGNED.to_owned(),
        format!("{SIGNED}&token=10"),
        format!("{SIGNED}&token=20"),
    ];
    assert_eq!(script.addresses(), expected);
    for request in script.asked().iter().skip(1) {
        assert!(matches!(request.target, Target::Signed(_)));
        assert!(!format!("{request:?}").contains("jwt"), "{request:?}");
    }
}

#[tokio::test]
async fn a_log_of_a_job_that_runs_ends_where_the_server_repeats_itself() {
    let part = |next: u32| {
        Scene::answer(
            200,
            &[],
            &format!("{{\"events\":[{}],\"next\":{next}}}", out("a")),
        )
    };
    let redirect = Scene::answer(302, &[("location", SIGNED)], "");
    let (client, _) = Scripted::client(vec![redirect, part(10), part(10)]);
    let mut stream = client.log(&job()).await.unwrap();
    assert_eq!(all(&mut stream).await.unwrap().len(), 2);
    assert!(!stream.is_complete());
}

#[tokio::test]
async fn a_redirect_to_anything_but_https_is_not_followed() {
    for (origin, location) in [
        (
            CLOUD,
            "http://acme.semaphore.test/api/v1/logs/x?jwt=aaaaaaaaaa",
        ),
        (CLOUD, "http://127.0.0.1:1/x?jwt=aaaaaaaaaa"),
        (HERE, "http://storage.test/x?jwt=aaaaaaaaaa"),
        (CLOUD, "https://u:pw@storage.test/x?jwt=aaaaaaaaaa"),
        (CLOUD, "file:///etc/passwd?jwt=aaaaaaaaaa"),
    ] {
        let scenes = vec![Scene::answer(302, &[("location", location)], "")];
        let (client, script) = Scripted::client_of(origin, scenes);
        let error = client.log(&job()).await.unwrap_err();
        assert_eq!(error.class, Class::Redirected, "{location}");
        assert!(!format!("{error:?}").contains("jwt"), "{error:?}");
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test]
async fn one_hop_is_all_and_its_address_is_never_shown() {
    let second = Scene::answer(
        302,
        &[("location", "https://third.test/x?jwt=cccccccccc")],
        "",
    );
    let echo = Scene::answer(
        400,
        &[],
        &format!("bad address {SIGNED} (aaaaaaaaaa.bbbbbbbbbb)"),
    );
    let gone = Scene::answer(401, &[], "Unauthorized");
    for (scene, class) in [
        (second, Class::Redirected),
        (echo, Class::Refused),
        (gone, Class::Permission),
    ] {
        let redirect = Scene::answer(302, &[("location", SIGNED)], "");
        let (client, script) = Scripted::client(vec![redirect, scene]);
        let error = client.log(&job()).await.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        let shown = format!("{error} {error:?}");
        for piece in ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"] {
            assert!(!shown.contains(piece), "{shown}");
        }
        assert_eq!(script.asked().len(), 2);
    }
}

#[tokio::test]
async fn text_is_taken_only_where_the_api_has_no_logs_and_only_as_text() {
    let oops = || Scene::answer(404, &[], "oops");
    let plain = [("content-type", "text/plain; charset=utf-8")];
    let pieces = vec![
        Ok(Bytes::from_static(b"a\xe2\x9c")),
        Ok(Bytes::from_static(b"\x97\n")),
    ];
    let (client, script) = Scripted::client(vec![oops(), Scene::pieces(200, &plain, pieces)]);
    let mut stream = client.log(&job()).await.unwrap();
    assert_eq!(
        all(&mut stream).await.unwrap().concat(),
        "cmd_output acmd_output ✗\n"
    );
    assert!(stream.is_complete());
    let accept = script.asked()[1].headers.get("accept").cloned();
    assert!(accept.unwrap().to_str().unwrap().contains("*/*"));

    for other in [
        Scene::answer(
            200,
            &[("content-type", "text/html")],
            "<html>job page</html>",
        ),
        Scene::answer(302, &[("location", "https://acme.test/login")], ""),
        Scene::answer(
            404,
            &[("content-type", "text/html; charset=utf-8")],
            "<html><body>404</body></html>",
        ),
    ] {
        let (client, _) = Scripted::client(vec![oops(), other]);
        let error = client.log(&job()).await.unwrap_err();
        assert_eq!((error.class, error.status), (Class::NotFound, Some(404)));
    }
    // A job that is not visible is no old installation.
    let (client, script) = Scripted::client(vec![Scene::answer(404, &[], "Not Found")]);
    client.log(&job()).await.unwrap_err();
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn why_there_is_no_log_is_said_in_the_words_of_the_server() {
    let body = "\"This job never started, so no logs were produced.\"";
    let (client, _) = Scripted::client(vec![Scene::answer(404, &[], body)]);
    let error = client.log(&job()).await.unwrap_err();
    assert_eq!(error.class, Class::NotFound);
    assert_eq!(
        error.message,
        "This job never started, so no logs were produced."
    );
}

#[tokio::test]
async fn a_log_that_breaks_off_gives_what_came_and_then_says_so() {
    let reset = TransportError::maybe_sent(Trouble::Reset, "connection reset");
    let pieces = vec![
        Ok(Bytes::from(format!("{{\"events\":[{},", out("a")))),
        Err(reset),
    ];
    let (client, _) = Scripted::client(vec![Scene::pieces(200, &[], pieces)]);
    let mut stream = client.log(&job()).await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(short(&first.what), "cmd_output a");
    let error = stream.next().await.unwrap_err();
    assert_eq!(error.class, Class::Network);
    assert!(
        error.message.starts_with("the log broke off after"),
        "{error}"
    );
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_log_over_its_limit_is_cut_and_says_so() {
    let pieces = (0..100)
        .map(|_| Ok(Bytes::from(format!("{},", out("0123456789")))))
        .collect();
    let (client, _) = Scripted::client(vec![Scene::pieces(200, &[], pieces)]);
    let client = client.with_limits(Limits {
        log_bytes_max: 1000,
        ..Limits::default()
    });
    let mut stream = client.log(&job()).await.unwrap();
    let events = all(&mut stream).await.unwrap();
    assert!(events.len() < 20, "{}", events.len());
    assert!(stream.is_cut() && !stream.is_complete());
}
