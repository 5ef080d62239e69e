//! `cargo sandbox demo`: the story, chapter by chapter.

use std::io;

use aws_sdk_ssm::types::ParameterType;

use super::screen::Screen;
use super::stage::Stage;
use super::story::{Mark, Story};
use super::tree::Parameter;
use crate::emulator::Options;

const INITIAL: &str = "initial";
const UPDATED: &str = "UPDATED";
const SECRET: &str = "correct horse battery staple";
const SPACED: &str = "\t two before, three after   \n";

/// Everything below the path; what lies deeper is left out by a look without `-R`.
const BELOW: [&str; 8] = [
    "/testyssmbak/1",
    "/testyssmbak/2",
    "/testyssmbak/3",
    "/testyssmbak/secret",
    "/testyssmbak/spaced",
    "/testyssmbak/deeper/1",
    "/testyssmbak/deeper/2",
    "/testyssmbak/deeper/3",
];

/// Tells the story in a sandbox of its own; an error names the first step that did not show what it should.
pub(crate) async fn demo(screen: Screen) -> io::Result<()> {
    let stage = Stage::set(screen, Options::default()).await?;
    let mut story = Story::begin(&stage, screen, SECRET).await?;

    let first = chapter(screen, "A tree of parameters", created(&mut story)).await?;
    let second = chapter(screen, "Two of them change", updated(&mut story)).await?;
    let back = back_to_the_first(&mut story, &first);
    chapter(screen, "Back to the first moment", back).await?;
    let forward = one_forward(&mut story, &second);
    let third = chapter(screen, "One of them to the second moment", forward).await?;
    let empty = chapter(screen, "All are deleted", deleted(&mut story)).await?;
    let apart = name_and_path(&mut story, &third);
    chapter(screen, "A name is not a path", apart).await?;
    let back = all_back(&mut story, &third);
    chapter(screen, "Everything comes back", back).await?;
    let absent = nothing_was_there(&story, &empty);
    chapter(screen, "The moment when nothing was there", absent).await?;
    chapter(screen, "Values come back exactly", exact_values(&story)).await?;
    chapter(screen, "Every change is on record", on_record(&story)).await?;
    let end = "The stack goes; what it captured stays";
    chapter(screen, end, stage.remove()).await?;
    screen.line("\nevery step showed what it should")
}

/// Tells one chapter; an error of its says where it happened.
async fn chapter<T>(
    screen: Screen,
    title: &str,
    story: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    screen.heading(title)?;
    story
        .await
        .map_err(|error| io::Error::other(format!("in \"{title}\": {error}")))
}

async fn created(story: &mut Story<'_>) -> io::Result<Mark> {
    story.put("/testyssmbak", Parameter::plain(INITIAL)).await?;
    for number in ["1", "2", "3", "deeper/1", "deeper/2", "deeper/3"] {
        let name = format!("/testyssmbak/{number}");
        story.put(&name, Parameter::plain(INITIAL)).await?;
    }
    let secret = Parameter {
        kind: ParameterType::SecureString,
        value: SECRET.to_owned(),
        description: "never shown unless asked for".to_owned(),
    };
    story.put("/testyssmbak/secret", secret).await?;
    let spaced = Parameter::plain(SPACED);
    story.put("/testyssmbak/spaced", spaced).await?;
    story.mark().await
}

async fn updated(story: &mut Story<'_>) -> io::Result<Mark> {
    for name in ["/testyssmbak/2", "/testyssmbak/deeper/2"] {
        story.put(name, Parameter::plain(UPDATED)).await?;
    }
    story.mark().await
}

async fn back_to_the_first(story: &mut Story<'_>, first: &Mark) -> io::Result<()> {
    let two = ["/testyssmbak/2", "/testyssmbak/deeper/2"];
    let target = ["/testyssmbak/", &first.time, "-R"];
    let shown = "the two that changed are shown as they were, and no other";
    story.preview(&target, first, &two, shown).await?;
    let back = "all seven are `initial` again";
    story.restore(&target, first, &two, back).await
}

async fn one_forward(story: &mut Story<'_>, second: &Mark) -> io::Result<Mark> {
    let one = ["/testyssmbak/deeper/2"];
    let target = ["/testyssmbak/deeper/2", &second.time];
    let forward = "this one is `UPDATED`, every other stayed";
    story.restore(&target, second, &one, forward).await?;
    story.mark().await
}

async fn deleted(story: &mut Story<'_>) -> io::Result<Mark> {
    story.delete_all().await?;
    story.mark().await
}

/// AWS asks to wait for 30 s before a name is created again; the emulator does not.
async fn name_and_path(story: &mut Story<'_>, third: &Mark) -> io::Result<()> {
    let name = ["/testyssmbak", &third.time];
    let path = ["/testyssmbak/", &third.time];
    let only_itself = "a name is that parameter alone, nothing below it";
    story
        .preview(&name, third, &["/testyssmbak"], only_itself)
        .await?;
    let children =
        "a path without -R is what lies right under it: neither the name nor deeper ones";
    story.preview(&path, third, &BELOW[..5], children).await?;
    let alone = "it alone is back";
    story.restore(&name, third, &["/testyssmbak"], alone).await
}

async fn all_back(story: &mut Story<'_>, third: &Mark) -> io::Result<()> {
    let then = ["/testyssmbak/", &third.time, "-R"];
    let shown = "all eight that are gone are shown, the secret masked";
    story.preview(&then, third, &BELOW, shown).await?;
    let back = "all are as they were: values, types and descriptions";
    story.restore(&then, third, &BELOW, back).await
}

async fn nothing_was_there(story: &Story<'_>, empty: &Mark) -> io::Result<()> {
    let gone = ["/testyssmbak/", &empty.time, "-R"];
    let known = "that they did not exist is known as well: going back would delete them";
    story.preview(&gone, empty, &BELOW, known).await
}

async fn exact_values(story: &Story<'_>) -> io::Result<()> {
    let spaced = ["show", "/testyssmbak/spaced"];
    let same = format!("byte for byte {SPACED:?}");
    story.shows(&spaced, SPACED, &same).await?;
    let secret = ["show", "/testyssmbak/secret", "--reveal"];
    let same = "byte for byte the secret (not printed here)";
    story.shows(&secret, SECRET, same).await
}

async fn on_record(story: &Story<'_>) -> io::Result<()> {
    let below = "every change of the story, each at its own time, the deletions too";
    story
        .lists(&["/testyssmbak/", "-R"], below, |name| {
            name != "/testyssmbak"
        })
        .await?;
    let own = "the name's own changes, none of those below it";
    story
        .lists(&["/testyssmbak"], own, |name| name == "/testyssmbak")
        .await
}
