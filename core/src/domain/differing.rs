//! What differs between two versions of a parameter, but for the value.

use super::policy::same_policies;
use super::record::Attributes;

/// The names of the fields that `after` has otherwise than `before`, as they
/// are shown. What one of the two cannot know, since it is from the original
/// tool or its value was lost, does not differ.
pub fn differing(before: &Attributes, after: &Attributes) -> Vec<&'static str> {
    let (known_before, known_after) = (before.completed_from(after), after.completed_from(before));
    let (before, after) = (&known_before, &known_after);
    // Nobody asks such a version for its tier: `completed_from` leaves it as it is.
    let is_known = |a: &Attributes| a.tier.is_some();
    let tier = is_known(before) && is_known(after) && before.tier != after.tier;
    let fields = [
        ("Description", before.description != after.description),
        ("Type", before.parameter_type != after.parameter_type),
        ("Tier", tier),
        ("KeyId", before.key_id != after.key_id),
        (
            "AllowedPattern",
            before.allowed_pattern != after.allowed_pattern,
        ),
        (
            "Policies",
            !same_policies(&before.policies, &after.policies),
        ),
        ("DataType", before.data_type != after.data_type),
    ];
    let differs = fields.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Attributes {
        Attributes {
            parameter_type: "SecureString".into(),
            description: Some("d".into()),
            tier: Some("Standard".into()),
            key_id: Some("alias/aws/ssm".into()),
            allowed_pattern: None,
            policies: vec!["{}".into()],
            data_type: Some("text".into()),
            labels: vec!["prod".into()],
            tags: None,
        }
    }

    #[test]
    fn each_field_is_told_by_its_name_and_labels_and_tags_are_not() {
        assert_eq!(differing(&one(), &one()), [""; 0]);
        let other = Attributes {
            parameter_type: "String".into(),
            description: None,
            tier: Some("Advanced".into()),
            key_id: None,
            allowed_pattern: Some("a".into()),
            policies: vec![],
            data_type: Some("aws:ec2:image".into()),
            labels: vec![],
            tags: Some([("a".into(), "b".into())].into()),
        };
        let all = [
            "Description",
            "Type",
            "Tier",
            "KeyId",
            "AllowedPattern",
            "Policies",
            "DataType",
        ];
        assert_eq!(differing(&one(), &other), all);
        assert_eq!(differing(&other, &one()), all);
    }

    #[test]
    fn policies_are_compared_as_json_in_any_order_and_though_they_have_expired() {
        let with = |policies: &[&str]| Attributes {
            policies: policies.iter().map(|&text| text.to_owned()).collect(),
            ..one()
        };
        let expired = r#"{"Type":"Expiration","Attributes":{"Timestamp":"2001-01-01T00:00:00Z"}}"#;
        let spaced =
            r#"{ "Attributes": {"Timestamp": "2001-01-01T00:00:00Z"}, "Type": "Expiration" }"#;
        let other = r#"{"Type":"NoChangeNotification"}"#;
        let before = with(&[expired, other]);
        assert_eq!(differing(&before, &with(&[other, spaced])), [""; 0]);
        assert_eq!(differing(&before, &with(&[other])), ["Policies"]);
        assert_eq!(differing(&before, &with(&[expired])), ["Policies"]);
    }

    #[test]
    fn what_an_imported_version_cannot_know_does_not_differ() {
        let imported = Attributes {
            parameter_type: "SecureString".into(),
            description: Some("d".into()),
            ..Attributes::default()
        };
        assert_eq!(differing(&imported, &one()), [""; 0]);
        assert_eq!(differing(&one(), &imported), [""; 0]);
        let other = Attributes {
            description: Some("e".into()),
            ..imported
        };
        assert_eq!(differing(&other, &one()), ["Description"]);
    }
}
