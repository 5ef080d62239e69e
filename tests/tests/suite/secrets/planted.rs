//! Secrets that are planted, and where none of them may be found.

use std::path::Path as FilePath;

use ssmbak_tests::proxy::Proxy;

use super::{Search, objects_beside_the_values, put};
use crate::world::{Answer, Lane, World, mark, now};

/// Every text that was planted, no two alike.
#[derive(Default)]
pub(super) struct Planted {
    /// Values of `SecureString`s, and credentials: nobody is shown one unasked.
    pub(super) secrets: Vec<String>,
    /// Other values: shown on standard output, and nowhere else.
    pub(super) values: Vec<String>,
}

impl Planted {
    fn text() -> String {
        format!("Planted-{}", uuid::Uuid::new_v4().simple())
    }

    pub(super) fn secret(&mut self) -> String {
        self.secrets.push(Self::text());
        self.secrets.last().unwrap().clone()
    }

    pub(super) fn value(&mut self) -> String {
        self.values.push(Self::text());
        self.values.last().unwrap().clone()
    }

    pub(super) fn secrets(&self) -> Search {
        let texts: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        Search::new(&texts)
    }

    pub(super) fn all(&self) -> Search {
        let texts = self.secrets.iter().chain(&self.values);
        Search::new(&texts.map(String::as_str).collect::<Vec<_>>())
    }

    /// What a command told: the secrets nowhere, a value on standard output alone.
    pub(super) fn not_told(&self, what: &str, answer: &Answer) {
        self.secrets().finds_nothing_in(what, &answer.stdout);
        self.all().finds_nothing_in(what, &answer.stderr);
    }

    /// Everything that is kept beside the values, and the log. Returns the keys of the objects.
    pub(super) async fn not_kept(&self, world: &World) -> Vec<String> {
        let all = self.all();
        let rows = world.rows().await;
        assert!(rows.len() > 10, "{rows:?}");
        for row in rows {
            all.finds_nothing_in("the index", &row.to_string());
        }
        all.finds_nothing_in("the function's log", &world.function.logs().join("\n"));
        objects_beside_the_values(world, &all).await
    }
}

/// The command line as somebody runs it whose own credentials are secret.
pub(super) struct Person<'a> {
    pub(super) world: &'a World,
    secret_key: String,
    token: String,
    /// For everything that is temporary.
    pub(super) temporary: tempfile::TempDir,
}

impl<'a> Person<'a> {
    pub(super) fn new(world: &'a World, planted: &mut Planted) -> Self {
        Self {
            world,
            secret_key: planted.secret(),
            token: planted.secret(),
            temporary: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) async fn runs(&self, words: &str) -> Answer {
        let later = now().plus_millis(600_000).to_string();
        let mut environment = vec![
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.as_str()),
            ("AWS_SESSION_TOKEN", &self.token),
            ("RUST_BACKTRACE", "full"),
            ("RUST_LOG", "trace"),
            ("TMPDIR", self.temporary.path().to_str().unwrap()),
        ];
        if words.starts_with("rebuild") {
            environment.push(("SSMBAK_TEST_NOW", &later));
        }
        let words: Vec<&str> = words.split(' ').collect();
        self.world.ssmbak_with(&environment, &words).await
    }
}

/// The tree: secrets of every kind of past, told to the function one by one. Returns an
/// instant before what was changed last.
pub(super) async fn planted_tree(world: &World, planted: &mut Planted) -> String {
    // What is new is then known not to have been there before.
    world.ssmbak(&["seed", "/sec/", "--do-it"]).await.exits(0);
    let key = &format!("alias/planted-{}", world.account);
    let key = Some(key.as_str());
    let write = async |name: &str, value: String, key: Option<&str>| {
        put(world, name, &value, key).await;
        world.tell(name, "Update", world.written(name).await).await;
    };
    write("/sec/hidden", planted.secret(), key).await;
    write("/sec/turned", planted.secret(), key).await;
    write("/sec/gone", planted.secret(), key).await;
    write("/sec/plain", planted.value(), None).await;
    write("/sec/away", planted.value(), None).await;
    let at = mark().await.to_string();
    write("/sec/hidden", planted.secret(), key).await;
    write("/sec/turned", planted.value(), None).await;
    write("/sec/plain", planted.value(), None).await;
    write("/sec/new", planted.secret(), key).await;
    world.erase("/sec/gone").await;
    world.erase("/sec/away").await;
    at
}

/// A world whose function tells all that it can, and has credentials of its own.
pub(super) async fn talkative(planted: &mut Planted, proxy: &Proxy) -> World {
    let mut world = World::emulated(Lane::Ministack, "the proxy, and keys of the emulator").await;
    world.function = world
        .function_at(&proxy.endpoint())
        .env("LOG_LEVEL", "debug")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("AWS_SECRET_ACCESS_KEY", &planted.secret())
        .env("AWS_SESSION_TOKEN", &planted.secret());
    world.behind(proxy)
}

/// No file under a directory holds one of them. Returns how many there are.
pub(super) fn files_hold_none(search: &Search, directory: &FilePath) -> usize {
    let files = std::fs::read_dir(directory).unwrap().flatten();
    let files: Vec<_> = files.map(|entry| entry.path()).collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        search.finds_nothing_in(
            &file.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        );
    }
    files.len()
}
