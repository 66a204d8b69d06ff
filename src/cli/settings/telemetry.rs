//! Where traces go: the standard variables of OpenTelemetry, read out of our one reading of the environment.
//!
//! Pure. Traces are exported only when an endpoint is named, unlike the standard's default of a collector on
//! this machine: a program that is started by hand should not look for one. What this program does not
//! speak is said, and nothing is exported then.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::Environment;
use crate::address::Address;
use crate::report::TraceParent;
use crate::secret::Secret;

/// The whole time of the export, whatever the environment allows: a run is not held up by its collector.
pub const EXPORT_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Where traces are taken below an endpoint for everything.
const TRACES_PATH: &str = "v1/traces";

/// Where traces go, and what stands on them.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Where.
    pub endpoint: Address,
    /// Headers that the collector asks for: their values are secrets.
    pub headers: Vec<(String, Secret)>,
    /// The whole time of the export.
    pub timeout: Duration,
    /// Certificates to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// Attributes of the program: `service.name` first.
    pub resource: Vec<(String, String)>,
    /// The trace that we are a part of.
    pub parent: Option<TraceParent>,
}

impl Telemetry {
    /// What the environment says: none when nothing is to be exported; an error says why it cannot be.
    pub fn of(environment: &Environment) -> Result<Option<Self>, String> {
        let get = |name: &str| environment.get(name).filter(|text| !text.trim().is_empty());
        // What is said of traces counts before what is said of everything.
        let either = |end: &str| {
            get(&format!("OTEL_EXPORTER_OTLP_TRACES_{end}"))
                .or_else(|| get(&format!("OTEL_EXPORTER_OTLP_{end}")))
        };
        let off = get("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let exporter = get("OTEL_TRACES_EXPORTER").unwrap_or("otlp");
        let endpoint = match get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            Some(text) => Some(Address::parse(text)),
            None => get("OTEL_EXPORTER_OTLP_ENDPOINT")
                .map(|text| Address::parse(text).and_then(|base| base.below(TRACES_PATH))),
        };
        let (Some(endpoint), false, true) = (endpoint, off, exporter != "none") else {
            return Ok(None);
        };
        let endpoint = endpoint
            .map_err(|why| format!("the endpoint for traces {}; {}", why.reason, why.hint))?;
        let exporters = exporter.split(',').any(|one| one.trim() == "otlp");
        let protocol = either("PROTOCOL").unwrap_or("http/protobuf");
        if !exporters || protocol != "http/protobuf" {
            let words = "traces are exported as `otlp` over `http/protobuf` alone";
            return Err(words.to_owned());
        }
        let parent = get("TRACEPARENT").and_then(TraceParent::parse);
        // A caller that records nothing has no place for our part.
        if parent.is_some_and(|parent| !parent.sampled) {
            return Ok(None);
        }
        let millis = either("TIMEOUT").and_then(|text| text.trim().parse().ok());
        let timeout = millis.map_or(EXPORT_TIMEOUT_MAX, Duration::from_millis);
        let headers = pairs(either("HEADERS").unwrap_or_default());
        Ok(Some(Self {
            endpoint,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
            timeout: timeout.clamp(Duration::from_millis(1), EXPORT_TIMEOUT_MAX),
            ca_file: either("CERTIFICATE").map(PathBuf::from),
            resource: resource(get("OTEL_SERVICE_NAME"), get("OTEL_RESOURCE_ATTRIBUTES")),
            parent,
        }))
    }
}

fn resource(service: Option<&str>, attributes: Option<&str>) -> Vec<(String, String)> {
    let given = pairs(attributes.unwrap_or_default());
    let named = given.iter().find(|(name, _)| name == "service.name");
    let named = named.map(|(_, value)| value.clone());
    let service = service.map(str::to_owned).or(named);
    let mut all = vec![(
        "service.name".to_owned(),
        service.unwrap_or_else(|| "runner".to_owned()),
    )];
    let version = env!("CARGO_PKG_VERSION").to_owned();
    all.push(("service.version".to_owned(), version));
    for (name, value) in given {
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, value));
        }
    }
    all
}

/// `a=1,b=2`, percent-encoded; what is no pair is left out, as the standard says.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| {
        percent_decode_str(part.trim())
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<Telemetry>, String> {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Telemetry::of(&owned.collect())
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example:4318/");

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_named() {
        for none in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
            &[
                ENDPOINT,
                (
                    "TRACEPARENT",
                    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                ),
            ],
        ] {
            assert!(of(none).unwrap().is_none(), "{none:?}");
        }
    }

    #[test]
    fn what_is_not_spoken_is_said() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://otel.example/v1/traces",
            ),
        ] {
            assert!(of(&[ENDPOINT, (name, value)]).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn what_is_said_of_traces_counts_more() {
        let telemetry = of(&[
            ENDPOINT,
            (
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                "api-key=a%20b, x = y,,z",
            ),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=other"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=b,deployment.environment.name=prod",
            ),
        ]);
        let telemetry = telemetry.unwrap().unwrap();
        assert_eq!(
            telemetry.endpoint.as_str(),
            "https://otel.example:4318/v1/traces"
        );
        assert_eq!(telemetry.timeout, EXPORT_TIMEOUT_MAX);
        let headers: Vec<(&str, &str)> = telemetry
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(headers, [("api-key", "a b"), ("x", "y")]);
        assert_eq!(telemetry.resource[0].1, "b");
        assert_eq!(telemetry.resource[2].1, "prod");
        let named = of(&[
            ENDPOINT,
            ("OTEL_SERVICE_NAME", "nightly"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://127.0.0.1:4318/t",
            ),
        ]);
        let named = named.unwrap().unwrap();
        assert_eq!(named.endpoint.as_str(), "http://127.0.0.1:4318/t");
        assert_eq!(named.resource[0].1, "nightly");
    }
}
