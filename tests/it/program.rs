//! The real program as a child process: a scrubbed environment, folders of its own, and no waiting for ever.
//!
//! Nothing here sleeps: whoever wants to know how far the child is reads its lines as they come.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use runner::clock::Clock;
use runner::diagnostic::Source;
use runner::simulator::{Act, Done, Scenario, Server, Simulator};

/// A child that is not done by then has failed its test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Folders and an environment for children.
pub(crate) struct Program {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a child left behind.
pub(crate) struct Finished {
    /// The exit code; 128 and the number for one that a signal ended.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A child that is at work.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    out: Receiver<String>,
}

impl Program {
    /// An environment in which nothing is set but the folders.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).expect("a folder");
            path.display().to_string()
        };
        let environment = vec![
            ("HOME".to_owned(), path("home")),
            ("TMPDIR".to_owned(), path("tmp")),
        ];
        path("work");
        Self {
            folder,
            environment,
        }
    }

    /// The same with a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// The same on a server.
    pub(crate) fn on(self, server: &Semaphore) -> Self {
        self.with("SEMAPHORE_ORGANIZATION_URL", &server.url)
            .with("SEMAPHORE_API_TOKEN", &server.token)
    }

    /// The folder that holds everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder in which children work.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The state folder of children.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("home/.local/state/runner")
    }

    /// A file in the folder in which children work.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    }

    /// The command, ready for more.
    pub(crate) fn command<I>(&self, args: I) -> Command
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command
            .env_clear()
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .current_dir(self.work())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Finished {
        self.start(args).finish()
    }

    /// Starts.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Running {
        Running::of(&mut self.command(args))
    }

    /// The report that a run wrote, held against the schema.
    pub(crate) fn report(&self, name: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.work().join(name)).expect("there is a report");
        let report = serde_json::from_str(&text).expect("it is JSON");
        valid_report(&report);
        report
    }
}

/// Panics when a report does not fit its schema.
pub(crate) fn valid_report(report: &serde_json::Value) {
    let schema = runner::report::report_schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

impl Running {
    /// Starts a command with both streams piped.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (say, out) = channel();
        let mut stdout = child.stdout.take().expect("it is piped");
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.read_to_end(&mut bytes);
            let _ = say.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        let (say, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        std::thread::spawn(move || {
            for line in stderr.split(b'\n').map_while(Result::ok) {
                if say
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            out,
        }
    }

    /// Reads stderr until a line holds this.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => {
                    let _ = self.child.kill();
                    panic!("`{text}` was never said:\n{}", self.seen.join("\n"));
                }
            }
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal (`TERM`, `KILL`) to the child alone.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Whether it is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it is done.
    pub(crate) fn finish(mut self) -> Finished {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    panic!("the program does not end:\n{}", self.seen.join("\n"));
                }
            }
        }
        let out = self
            .out
            .recv_timeout(PATIENCE)
            .expect("its stdout is closed");
        let status = self.child.wait().expect("it is a child of ours");
        Finished {
            code: code(status),
            out,
            err: self.seen.join("\n"),
        }
    }
}

#[cfg(unix)]
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

impl Finished {
    /// Panics when it ended with another code.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "--- stdout\n{}--- stderr\n{}",
            self.out, self.err
        );
        self.sane();
        self
    }

    /// Panics when the program did.
    fn sane(&self) {
        for word in ["panicked", "bug in runner"] {
            assert!(!self.err.contains(word), "{}", self.err);
        }
    }

    /// Panics when stderr does not hold all of these.
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.err.contains(word),
                "`{word}` is not said:\n{}",
                self.err
            );
        }
        self
    }

    /// Stdout as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}:\n{}", self.out))
    }
}

/// A simulated Semaphore on loopback, in this process.
pub(crate) struct Semaphore {
    pub(crate) url: String,
    pub(crate) token: String,
    world: Arc<Mutex<Simulator>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Semaphore {
    /// Serves a built-in scenario, so many times faster than our clock.
    pub(crate) fn built_in(name: &str, speed: u32) -> Self {
        Self::start(
            Scenario::built_in(name).expect("a built-in scenario"),
            speed,
        )
    }

    /// Serves a scenario that stands here.
    pub(crate) fn yaml(text: &str, speed: u32) -> Self {
        let scenario = Scenario::parse(&Source::new("scenario.yml", text));
        Self::start(
            scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}")),
            speed,
        )
    }

    pub(crate) fn start(scenario: Scenario, speed: u32) -> Self {
        let token = scenario.admin_token().unwrap_or_default().to_owned();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (say, started) = channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let running = Server::start(scenario, Clock::scaled(speed), any)
                    .await
                    .expect("it listens");
                say.send((running.url(), running.world()))
                    .expect("it is awaited");
                let _ = stopped.await;
                running.shutdown().await;
            });
        });
        let (url, world) = started.recv_timeout(PATIENCE).expect("it starts");
        Self {
            url,
            token,
            world,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What was really done, in order.
    pub(crate) fn acts(&self) -> Vec<Act> {
        self.world().acts().to_vec()
    }

    /// How many workflows were started, and how many promotions triggered.
    pub(crate) fn started(&self) -> (usize, usize) {
        let count =
            |wanted: fn(&Done) -> bool| self.acts().iter().filter(|act| wanted(&act.deed)).count();
        (
            count(|deed| matches!(deed, Done::RunWorkflow { .. })),
            count(|deed| matches!(deed, Done::Promote { .. })),
        )
    }

    /// Waits until so many workflows were started and promotions triggered.
    pub(crate) fn until(&self, wanted: impl Fn((usize, usize)) -> bool) {
        let began = Instant::now();
        while !wanted(self.started()) {
            assert!(began.elapsed() < PATIENCE, "{:?}", self.started());
            std::thread::yield_now();
        }
    }

    /// How many requests came in.
    pub(crate) fn requests(&self) -> u64 {
        self.world().requests()
    }

    fn world(&self) -> std::sync::MutexGuard<'_, Simulator> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
