//! One preview by each of the two command lines, of the same names, counted through a proxy.

use std::io;
use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_ssm::types::ParameterType;
use tokio::process::Command;

use super::{Dollars, total};
use crate::binaries::ssmbak;
use crate::canned::Used;
use crate::emulator::{Options, sdk_config};
use crate::events::batch_of_events;
use crate::original::Original;
use crate::proxy::Proxy;
use crate::sandbox::bench::Row;
use crate::sandbox::screen::Screen;
use crate::sandbox::stage::{Stage, exports};

const NAMES: usize = 20;
const VERSIONS: usize = 5;
const PATH: &str = "/cost/";
const READ_UNIT_BYTES: usize = 4_096;

/// What a preview of 20 names with 5 versions each, one of which came after T, takes.
pub(super) async fn rows() -> io::Result<Vec<Row>> {
    let stage = Stage::set(Screen::stderr(), Options::default()).await?;
    let endpoint = stage.ministack.endpoint();
    let config = sdk_config(&endpoint, "test").await;
    let bucket = "original";
    versioned(&aws_sdk_s3::Client::from_conf(path_style(&config)), bucket).await?;
    let at = write(
        &stage,
        &endpoint,
        &aws_sdk_ssm::Client::new(&config),
        bucket,
    )
    .await?;

    let proxy = Proxy::start(&endpoint)?;
    let original = Original::over(&proxy.endpoint(), "test", bucket)?;
    let found = original.preview(PATH, &at).await?.len();
    if found != NAMES {
        return Err(io::Error::other(format!(
            "the original shows {found} names"
        )));
    }
    let theirs = used(&proxy);
    proxy.reset_calls();
    let time = format!("{at}Z");
    let mut preview = Command::new(ssmbak());
    preview
        .args(["preview", PATH, &time, "-R", "--output", "json"])
        .env_clear()
        .envs(exports(&proxy.endpoint()))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .kill_on_drop(true);
    let answer = preview.output().await?;
    let rows: Vec<serde_json::Value> =
        serde_json::from_slice(&answer.stdout).map_err(io::Error::other)?;
    if rows.len() != NAMES {
        let told = String::from_utf8_lossy(&answer.stderr).into_owned();
        return Err(io::Error::other(format!(
            "it shows {} names: {told}",
            rows.len()
        )));
    }
    let ours = used(&proxy);
    let row = |used: &Used, whose| {
        let what = format!("a preview of {NAMES} names x {VERSIONS} versions, {whose}");
        let dollars = Dollars {
            kms: 0.0,
            ..Dollars::of(used)
        };
        dollars.row(&what, total(used))
    };
    Ok(vec![row(&theirs, "original"), row(&ours, "ssmbak")])
}

fn path_style(config: &aws_config::SdkConfig) -> aws_sdk_s3::Config {
    let builder = aws_sdk_s3::config::Builder::from(config);
    builder.force_path_style(true).build()
}

async fn versioned(s3: &aws_sdk_s3::Client, bucket: &str) -> io::Result<()> {
    let create = s3.create_bucket().bucket(bucket).send().await;
    create.map_err(io::Error::other)?;
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let put = s3.put_bucket_versioning().bucket(bucket);
    let put = put.versioning_configuration(enabled.build());
    put.send().await.map(drop).map_err(io::Error::other)
}

/// Writes every version, lets both capture it, and returns the second before the last.
async fn write(
    stage: &Stage,
    endpoint: &str,
    ssm: &aws_sdk_ssm::Client,
    bucket: &str,
) -> io::Result<String> {
    let original = Original::over(endpoint, "test", bucket)?;
    let (mut handled, mut at) = (0, String::new());
    for version in 1..=VERSIONS {
        if version == VERSIONS {
            at = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string();
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        for number in 0..NAMES {
            let name = format!("{PATH}{number:02}");
            let put = ssm.put_parameter().name(name).value(version.to_string());
            let put = put.r#type(ParameterType::String).overwrite(true);
            put.send().await.map_err(io::Error::other)?;
        }
        stage.captured().await?;
        let changes = stage.control.changes_under(PATH).await?;
        let new = changes[handled..].iter().map(|change| &change.event);
        original.handle(&batch_of_events(new)).await?;
        handled = changes.len();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    Ok(at)
}

/// What came through the proxy. Read units by the length of the answer, which is more than the
/// rows that it holds.
fn used(proxy: &Proxy) -> Used {
    let calls = proxy.calls();
    let reads = calls.iter().filter(|call| {
        let operation = call.operation.as_str();
        matches!(operation, "dynamodb:Query" | "dynamodb:GetItem")
    });
    Used {
        read_units: reads
            .map(|call| call.answer_bytes.div_ceil(READ_UNIT_BYTES).max(1))
            .sum(),
        write_units: 0,
        calls: proxy.counts(),
    }
}
