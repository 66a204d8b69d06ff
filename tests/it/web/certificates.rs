//! Certificates: who cannot show that it is the right server hears not one byte of HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Method};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use runner::address::Address;
use runner::effects::{ReqwestWeb, Web as _, WebRequest};
use runner::semaphore::{AnswerLimits, HttpOptions, Sent, Timeouts, TransportError, Trouble};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::program::Program;

/// An authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A server that this authority vouches for, under a name, until the end of a year.
    fn server(&self, name: &str, until: i32) -> Server {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Server::start(certificate.der().clone(), &key)
    }
}

/// A server that nobody but itself vouches for.
fn self_signed() -> Server {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    Server::start(certificate.der().clone(), &key)
}

/// A server that says no to every request, and keeps the bytes of HTTP that it heard.
struct Server {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    fn start(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("there are versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key fits");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut tls =
                    rustls::ServerConnection::new(Arc::clone(&config)).expect("a session");
                let mut line = rustls::Stream::new(&mut tls, &mut stream);
                let mut some = [0; 4096];
                while let Ok(n @ 1..) = line.read(&mut some) {
                    let mut heard = kept.lock().expect("not poisoned");
                    heard.extend_from_slice(&some[..n]);
                    if heard.ends_with(b"\r\n\r\n") {
                        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}";
                        let _ = line.write_all(answer.as_bytes());
                        line.conn.send_close_notify();
                        let _ = line.flush();
                        break;
                    }
                }
            }
        });
        Self { addr, heard }
    }

    fn heard(&self) -> String {
        let heard = self.heard.lock().expect("not poisoned");
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// Servers that are not what they should be, by what is wrong with them.
fn impostors(trusted: &Authority) -> [(&'static str, Server); 4] {
    [
        ("expired", trusted.server("127.0.0.1", 2021)),
        ("for another host", trusted.server("ci.example.com", 2099)),
        (
            "by an unknown authority",
            Authority::new().server("127.0.0.1", 2099),
        ),
        ("by itself", self_signed()),
    ]
}

fn written(pem: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, pem).expect("it can be written");
    (folder, path)
}

fn send(addr: SocketAddr, ca_file: Option<PathBuf>) -> Result<u16, TransportError> {
    let request = WebRequest {
        method: Method::GET,
        address: Address::parse(&format!("https://{addr}/secret?key=1")).expect("an address"),
        headers: HeaderMap::new(),
        body: None,
        total_timeout: Duration::from_secs(20),
        limits: AnswerLimits::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let web = ReqwestWeb::new(HttpOptions {
            timeouts: Timeouts::default(),
            ca_file,
        });
        Ok(web.send(request).await?.status)
    })
}

#[test]
fn other_servers_must_show_who_they_are() {
    let trusted = Authority::new();
    let (_folder, file) = written(&trusted.pem);
    let right = trusted.server("127.0.0.1", 2099);
    assert_eq!(
        send(right.addr, Some(file.clone())).expect("an answer"),
        401
    );
    assert!(right.heard().starts_with("GET /secret?key=1 HTTP/1.1\r\n"));
    for (what, server) in impostors(&trusted) {
        let error = send(server.addr, Some(file.clone())).expect_err(what);
        assert_eq!(
            (error.kind, error.sent),
            (Trouble::Tls, Sent::NotSent),
            "{what}: {error:?}"
        );
        assert_eq!(server.heard(), "", "{what}");
    }
    // Without the file nobody vouches for it.
    let unknown = trusted.server("127.0.0.1", 2099);
    assert!(send(unknown.addr, None).is_err());
    assert_eq!(unknown.heard(), "");
}

#[test]
fn semaphore_must_show_who_it_is() {
    let trusted = Authority::new();
    let (_folder, file) = written(&trusted.pem);
    let file = file.display().to_string();
    let on = |server: &Server| {
        Program::new()
            .with(
                "SEMAPHORE_ORGANIZATION_URL",
                &format!("https://{}", server.addr),
            )
            .with("SEMAPHORE_API_TOKEN", "a-token-of-ours-1")
            .with("RUNNER_RETRY_FIRST_CONTACT", "0s")
    };
    // Both ways to trust an authority of one's own.
    for variable in ["RUNNER_HTTP_CA_FILE", "SSL_CERT_FILE"] {
        let right = trusted.server("127.0.0.1", 2099);
        on(&right).with(variable, &file).run(&["doctor"]).expect(4);
        let heard = right.heard().to_ascii_lowercase();
        assert!(
            heard.contains("authorization: token a-token-of-ours-1"),
            "{variable}: {heard}"
        );
    }
    for (what, server) in impostors(&trusted) {
        let program = on(&server).with("RUNNER_HTTP_CA_FILE", &file);
        let looked = program.run(&["doctor"]).expect(7);
        assert!(looked.out.contains("certificate"), "{what}: {}", looked.out);
        program.file(
            "release.yml",
            "playbook: 1\nsteps: { build: { run_workflow: { project: demo, reference: refs/heads/main } } }\n",
        );
        let done = program.run(&["apply", "release.yml"]).expect(7);
        done.says(&["certificate"]);
        assert_eq!(server.heard(), "", "{what}");
    }
    let right = trusted.server("127.0.0.1", 2099);
    on(&right).run(&["doctor"]).expect(7);
    let missing = on(&right).with("RUNNER_HTTP_CA_FILE", "no-such.pem");
    let looked = missing.run(&["doctor"]).expect(7);
    assert!(
        looked.out.contains("`no-such.pem` cannot be read"),
        "{}",
        looked.out
    );
    assert_eq!(right.heard(), "");
}
