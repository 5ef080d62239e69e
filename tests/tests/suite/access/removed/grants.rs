//! What policies allow, taken apart into what can be taken away alone.

use std::fmt;

use serde_json::Value as Json;

/// One thing that a statement allows: an action, or, of several resources, one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) sid: String,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Action(String),
    Resource(String),
}

impl Right {
    /// Whether a row of a table means it: `Sid` alone means all of a statement, `Sid action` an
    /// action, `Sid @part` the resources that hold this part.
    pub(super) fn is_meant(&self, row: &str) -> bool {
        let Some((sid, what)) = row.split_once(' ') else {
            return self.sid == row;
        };
        let is_what = match &self.what {
            What::Action(action) => action == what,
            What::Resource(arn) => what
                .strip_prefix('@')
                .is_some_and(|part| arn.contains(part)),
        };
        self.sid == sid && is_what
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Action(action) => write!(formatter, "{} {action}", self.sid),
            What::Resource(arn) => write!(formatter, "{} @{arn}", self.sid),
        }
    }
}

/// A field of a statement that is one text or several.
pub(super) fn several(field: &Json) -> Vec<String> {
    let one = field.as_str().map(str::to_owned);
    let many = field.as_array().into_iter().flatten();
    let many = many.map(|one| one.as_str().unwrap().to_owned());
    one.into_iter().chain(many).collect()
}

/// Every right of these policies.
pub(super) fn rights(policies: &[Json]) -> Vec<Right> {
    let mut found = Vec::new();
    for statement in statements(policies) {
        let sid = statement["Sid"].as_str().unwrap();
        let right = |what| Right {
            sid: sid.to_owned(),
            what,
        };
        let actions = several(&statement["Action"]).into_iter();
        found.extend(actions.map(What::Action).map(right));
        let resources = several(&statement["Resource"]);
        if resources.len() > 1 {
            found.extend(resources.into_iter().map(What::Resource).map(right));
        }
    }
    found
}

fn statements(policies: &[Json]) -> impl Iterator<Item = &Json> {
    let lists = policies.iter().map(|policy| &policy["Statement"]);
    lists.flat_map(|list| list.as_array().unwrap())
}

/// The policies without these rights, and nothing else changed.
pub(super) fn without(policies: &[Json], taken: &[&Right]) -> Vec<Json> {
    let mut left = policies.to_vec();
    for policy in &mut left {
        let statements = policy["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            let sid = statement["Sid"].as_str().unwrap().to_owned();
            let is_taken = |what: &What| taken.iter().any(|r| r.sid == sid && r.what == *what);
            let mut actions = several(&statement["Action"]);
            actions.retain(|action| !is_taken(&What::Action(action.clone())));
            let mut resources = several(&statement["Resource"]);
            resources.retain(|arn| !is_taken(&What::Resource(arn.clone())));
            statement["Action"] = actions.into();
            statement["Resource"] = resources.into();
        }
        // An empty list would allow everything that is not named.
        statements.retain(|one| one["Action"] != Json::Array(Vec::new()));
        statements.retain(|one| one["Resource"] != Json::Array(Vec::new()));
    }
    // IAM takes no policy that says nothing.
    left.retain(|policy| !policy["Statement"].as_array().unwrap().is_empty());
    left
}

/// The policies with nothing but the statements that are held without a second factor, where one
/// is asked for: those that the auditor has too.
pub(super) fn without_second_factor(policies: &[Json], auditor: &[Json]) -> Vec<Json> {
    let theirs: Vec<&Json> = statements(auditor).map(|one| &one["Sid"]).collect();
    let mut left = policies.to_vec();
    for policy in &mut left {
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.retain(|one| theirs.contains(&&one["Sid"]));
    }
    left
}

#[test]
fn a_right_is_taken_away_alone() {
    use serde_json::json;
    let policy = json!({"Statement": [
        {"Sid": "A", "Action": ["s:x", "s:y"], "Resource": "*"},
        {"Sid": "B", "Action": "s:x", "Resource": ["r1", "r2"]},
    ]});
    let all = rights(std::slice::from_ref(&policy));
    let told: Vec<String> = all.iter().map(Right::to_string).collect();
    assert_eq!(told, ["A s:x", "A s:y", "B s:x", "B @r1", "B @r2"]);
    let left = |right: &Right| without(std::slice::from_ref(&policy), &[right]).remove(0);
    assert_eq!(left(&all[0])["Statement"][0]["Action"], json!(["s:y"]));
    assert_eq!(left(&all[0])["Statement"][1]["Action"], json!(["s:x"]));
    assert_eq!(left(&all[2])["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(left(&all[3])["Statement"][1]["Resource"], json!(["r2"]));
    assert!(all[0].is_meant("A") && all[0].is_meant("A s:x") && !all[0].is_meant("B s:x"));
    assert!(all[4].is_meant("B @2") && !all[3].is_meant("B @2") && !all[2].is_meant("B @2"));
}
