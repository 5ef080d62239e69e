//! Two ways of reading what lives, under the limits that each has.
//!
//! `DescribeParameters` has fifty a page and tells everything but the value; `GetParametersByPath`
//! has ten, with the value, and tells no description, key, tier, policies or user.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::Utc;
use ssmbak_core::domain::{Instant as Moment, Name, Target};
use ssmbak_core::store::{Location, Parameters, Stores};

use super::peer::failed;
use super::throttle::LIMITS;
use super::{Benchmark, Figure, Row, told};
use crate::canned::CannedStores;
use crate::emulator::sdk_config;
use crate::proxy::Proxy;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "listing",
    about: "two ways of reading what lives, under the limits of Parameter Store",
    run: |binary| Box::pin(run(binary)),
};

const PATH: &str = "/scale/";
const NAMES: [usize; 3] = [100, 1_000, 10_000];
const LATENCY: Duration = Duration::from_millis(20);
/// Forty a second: pages come one after the other, so they are spaced as the limit is.
const BETWEEN_PAGES: Duration = Duration::from_millis(25);

async fn run(_: PathBuf) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for names in NAMES {
        let canned = CannedStores::start(names, 1, LATENCY)?;
        for way in [Way::Describe, Way::ByPath, Way::DescribeAndValues] {
            let proxy = Proxy::start(&canned.endpoint())?;
            for (operation, a_second, burst) in LIMITS {
                proxy.throttle(operation, a_second, burst);
            }
            let began = Instant::now();
            let read = way.read(&proxy.endpoint()).await?;
            let took = began.elapsed().as_secs_f64();
            if read != names {
                return Err(io::Error::other(format!("{read} of {names} were read")));
            }
            let calls = proxy.calls();
            let throttled = calls.iter().filter(|call| call.disturbed).count();
            rows.push(told(Row {
                what: format!("{names} names, {}", way.called()),
                figures: vec![
                    Figure::count("calls", calls.len() - throttled),
                    Figure::count("throttled", throttled),
                    Figure::seconds("s", took),
                ],
            })?);
        }
    }
    Ok(rows)
}

/// A way of reading what lives.
#[derive(Clone, Copy)]
enum Way {
    Describe,
    ByPath,
    DescribeAndValues,
}

impl Way {
    fn called(self) -> &'static str {
        match self {
            Self::Describe => "DescribeParameters",
            Self::ByPath => "GetParametersByPath",
            Self::DescribeAndValues => "DescribeParameters, and GetParameters of all",
        }
    }

    /// Reads all of them; returns how many there were.
    async fn read(self, endpoint: &str) -> io::Result<usize> {
        match self {
            Self::Describe => Ok(listed(&parameters(endpoint).await).await?.len()),
            Self::ByPath => by_path(endpoint).await,
            Self::DescribeAndValues => {
                let parameters = parameters(endpoint).await;
                let names = listed(&parameters).await?;
                let values = parameters.values(&names).await.map_err(failed)?;
                Ok(values.len())
            }
        }
    }
}

async fn parameters(endpoint: &str) -> Parameters {
    let location = Location {
        bucket: "canned".into(),
        table: "canned".into(),
    };
    let config = sdk_config(endpoint, "test").await;
    let now = || Moment::from_millis(Utc::now().timestamp_millis());
    Stores::new(&config, location, now).parameters
}

async fn listed(parameters: &Parameters) -> io::Result<Vec<Name>> {
    let target = Target::parse(PATH, true).map_err(failed)?;
    let listed = parameters.list(&target).await.map_err(failed)?;
    Ok(listed.into_iter().map(|live| live.name).collect())
}

async fn by_path(endpoint: &str) -> io::Result<usize> {
    let client = aws_sdk_ssm::Client::new(&sdk_config(endpoint, "test").await);
    let (mut read, mut token) = (0, None);
    let mut turns = tokio::time::interval(BETWEEN_PAGES);
    loop {
        turns.tick().await;
        let page = client.get_parameters_by_path().path(PATH).recursive(true);
        let page = page.set_next_token(token).send().await.map_err(failed)?;
        read += page.parameters().len();
        token = page.next_token;
        if token.is_none() {
            return Ok(read);
        }
    }
}
