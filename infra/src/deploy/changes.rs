//! What an update would do to each resource, and what of it must not be done.

use aws_sdk_cloudformation::types::{
    ChangeAction, Replacement, ResourceAttribute, ResourceChange as Reported,
};

use super::RetainedKind;

/// What an update would do to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`, as CloudFormation spells it.
    pub action: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// Its own name; empty where it is still to be made.
    pub physical_id: String,
    /// Its type.
    pub resource_type: String,
    /// Whether another is put in its place: `True`, `False` or `Conditional`; none where the
    /// question does not arise.
    pub replacement: Option<String>,
    /// The properties that change, and `Tags` where those do; sorted.
    pub properties: Vec<String>,
}

impl ResourceChange {
    pub(super) fn from_reported(change: &Reported) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let mut properties: Vec<_> = change
            .details()
            .iter()
            .filter_map(|detail| {
                let target = detail.target()?;
                let attribute = target.attribute()?;
                match (attribute, target.name()) {
                    (ResourceAttribute::Properties, Some(name)) => Some(name.to_owned()),
                    (other, _) => Some(other.as_str().to_owned()),
                }
            })
            .collect();
        properties.sort_unstable();
        properties.dedup();
        Self {
            action: text(change.action().map(ChangeAction::as_str)),
            logical_id: text(change.logical_resource_id()),
            physical_id: text(change.physical_resource_id()),
            resource_type: text(change.resource_type()),
            replacement: change
                .replacement()
                .map(Replacement::as_str)
                .filter(|replacement| !replacement.is_empty())
                .map(str::to_owned),
            properties,
        }
    }

    /// Returns whether the resource that is there now goes.
    ///
    /// `Conditional` does not count: CloudFormation says so of everything that names a resource
    /// which is changed, before it knows that the name stays.
    pub fn takes_away(&self) -> bool {
        let replaces = self.replacement.as_deref() == Some("True");
        match self.action.as_str() {
            "Add" | "Import" => false,
            "Modify" => replaces,
            _ => true,
        }
    }

    /// Returns whether history lies in the resource, and it goes or may go.
    ///
    /// Here what CloudFormation leaves open counts as going, unless all that changes is known to be
    /// changed in place.
    fn endangers_history(&self) -> bool {
        let Some(kind) = RetainedKind::with_history(&self.resource_type) else {
            return false;
        };
        let in_place = changed_in_place(kind);
        let is_doubtful = |name: &String| name != "Tags" && !in_place.contains(&name.as_str());
        let is_open = self.replacement.as_deref() == Some("Conditional")
            && (self.properties.is_empty() || self.properties.iter().any(is_doubtful));
        self.takes_away() || is_open
    }
}

/// The properties of which AWS documents that they change without replacement.
fn changed_in_place(kind: RetainedKind) -> &'static [&'static str] {
    match kind {
        RetainedKind::Bucket => &[
            "BucketEncryption",
            "LifecycleConfiguration",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "VersioningConfiguration",
        ],
        RetainedKind::Table => &[
            "BillingMode",
            "DeletionProtectionEnabled",
            "PointInTimeRecoverySpecification",
            "SSESpecification",
        ],
        RetainedKind::Key => &[
            "Description",
            "EnableKeyRotation",
            "KeyPolicy",
            "PendingWindowInDays",
        ],
        RetainedKind::Policy => &[],
    }
}

/// Returns the changes that would split history: a bucket, table or key that goes.
///
/// They are refused whatever was asked for. The old ones would be retained, but no stack would know
/// of them, and what they hold would no longer be found.
pub fn splits_history(changes: &[ResourceChange]) -> Vec<ResourceChange> {
    let endangered = changes.iter().filter(|change| change.endangers_history());
    endangered.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudformation::types::{ResourceChangeDetail, ResourceTargetDefinition};

    fn change(action: &str, resource_type: &str, replacement: Option<&str>) -> ResourceChange {
        ResourceChange {
            action: action.into(),
            logical_id: "Thing".into(),
            physical_id: "thing-1".into(),
            resource_type: resource_type.into(),
            replacement: replacement.map(str::to_owned),
            properties: Vec::new(),
        }
    }

    const HISTORY: [&str; 3] = ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"];

    #[test]
    fn nothing_that_holds_history_is_removed_or_replaced() {
        for kind in HISTORY {
            for gone in [
                change("Remove", kind, None),
                change("Modify", kind, Some("True")),
                change("Modify", kind, Some("Conditional")),
                change("Dynamic", kind, None),
            ] {
                assert_eq!(splits_history(std::slice::from_ref(&gone)), [gone]);
            }
        }
    }

    #[test]
    fn what_holds_history_may_be_changed_in_place_or_added() {
        for kind in HISTORY {
            let kept = [
                change("Modify", kind, Some("False")),
                change("Add", kind, None),
            ];
            assert_eq!(splits_history(&kept), []);
        }
    }

    #[test]
    fn what_is_left_open_is_safe_only_where_each_property_changes_in_place() {
        let open = |properties: &[&str]| {
            let mut open = change("Modify", "AWS::S3::Bucket", Some("Conditional"));
            open.properties = properties.iter().map(|&name| name.to_owned()).collect();
            open
        };
        let safe = open(&["LifecycleConfiguration", "Tags"]);
        assert_eq!(splits_history(&[safe]), []);
        for doubtful in [
            open(&["BucketName", "Tags"]),
            open(&["LifecycleConfiguration", "SomethingNew"]),
            // What is safe for a table says nothing of a bucket.
            open(&["SSESpecification"]),
        ] {
            assert_eq!(splits_history(std::slice::from_ref(&doubtful)), [doubtful]);
        }
    }

    #[test]
    fn anything_else_may_go_but_is_told() {
        let policy = change("Remove", "AWS::S3::BucketPolicy", None);
        assert!(policy.takes_away());
        let function = change("Modify", "AWS::Lambda::Function", Some("True"));
        assert!(function.takes_away());
        assert_eq!(splits_history(&[policy, function]), []);
        assert!(!change("Modify", "AWS::Lambda::Function", Some("False")).takes_away());
        // It names a function that changes, and goes on naming it.
        assert!(!change("Modify", "AWS::Events::Rule", Some("Conditional")).takes_away());
        assert!(!change("Add", "AWS::Lambda::Function", None).takes_away());
    }

    #[test]
    fn a_change_is_read_with_each_property_once() {
        let detail = |attribute: ResourceAttribute, name: Option<&str>| {
            let target = ResourceTargetDefinition::builder()
                .attribute(attribute)
                .set_name(name.map(str::to_owned))
                .build();
            ResourceChangeDetail::builder().target(target).build()
        };
        let reported = Reported::builder()
            .action(ChangeAction::Modify)
            .logical_resource_id("Function")
            .physical_resource_id("prod-capture")
            .resource_type("AWS::Lambda::Function")
            .replacement(Replacement::False)
            .details(detail(ResourceAttribute::Properties, Some("Environment")))
            .details(detail(ResourceAttribute::Tags, None))
            .details(detail(ResourceAttribute::Properties, Some("Code")))
            .details(detail(ResourceAttribute::Properties, Some("Code")))
            .build();
        let read = ResourceChange::from_reported(&reported);
        assert_eq!(read.properties, ["Code", "Environment", "Tags"]);
        assert_eq!(read.action, "Modify");
        assert_eq!(read.replacement.as_deref(), Some("False"));
        assert!(!read.takes_away());
    }
}
