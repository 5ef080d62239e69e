//! Which work each right of each role is for, and which rights no emulator can ask for.

use super::work::Work::{
    self, Captures, CapturesDeletion, CapturesHidden, CapturesJournalled, CapturesSealed, Checks,
    History, Rebuild, Reconciles, ReconcilesSealed, Redrive, RedriveDry, Restore, Seed,
    SeedDeletion, SeedJournalled, SeedSealed, Show, ShowLive, Status, Verify,
};

/// How a piece of work ends without a right that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It fails, or says what it could not do; the action is named.
    Named,
    /// It is refused, and goes another way.
    Around,
    /// The same, by somebody who has not signed in with the second factor that is asked for.
    AroundWithoutFactor,
}
use Told::{Around, AroundWithoutFactor, Named};

/// A role: the rights it needs, each with the work that fails without it, and those that no
/// emulator asks for, each with the reason. See [`super::grants::Right::is_meant`].
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) works: &'static [Work],
    pub(super) needs: &'static [(&'static str, Work, Told)],
    pub(super) untold: &'static [(&'static str, &'static str)],
}

const OWN_KEY: &str = "the emulator encrypts nothing, and asks for no right of the stack's own key";
const NO_POLLER: &str = "the emulator takes messages for a function without asking its role";
const NO_LOG: &str = "the emulator writes a function's log without asking its role";

const SHARED: &str = "one policy for both functions; a reconciliation itself reads a stored value only \
                      where it contradicts a deletion on record";

pub(super) const AUDITOR: Role = Role {
    name: "auditor",
    works: &[History, Status],
    needs: &[
        ("FindTheStack ssm:GetParameters", History, Around),
        (
            "ReadTheStack cloudformation:DescribeStackResources",
            Status,
            Named,
        ),
        ("ReadTheStack cloudformation:DescribeStacks", Status, Named),
        ("ReadAlarms cloudwatch:DescribeAlarms", Status, Named),
        ("CountMessages sqs:GetQueueAttributes", Status, Named),
        ("CountMessages @-Queue-", Status, Named),
        ("CountMessages @-DeadLetterQueue-", Status, Named),
        ("CountMessages @-RuleDeadLetterQueue-", Status, Named),
        ("ReadIndex dynamodb:GetItem", History, Named),
        ("ReadIndex dynamodb:Query", History, Named),
    ],
    untold: &[("UseKeyOfTheStack", OWN_KEY)],
};

pub(super) const RESTORER: Role = Role {
    name: "restorer",
    works: &[
        History,
        Status,
        Show,
        ShowLive,
        Rebuild,
        Restore,
        SeedDeletion,
        SeedJournalled,
        SeedSealed,
    ],
    needs: &[
        (
            "FindTheStack ssm:GetParameters",
            History,
            AroundWithoutFactor,
        ),
        (
            "ReadTheStack cloudformation:DescribeStackResources",
            Status,
            Named,
        ),
        ("ReadTheStack cloudformation:DescribeStacks", Status, Named),
        ("ReadAlarms cloudwatch:DescribeAlarms", Status, Named),
        ("CountMessages sqs:GetQueueAttributes", Status, Named),
        ("CountMessages @-Queue-", Status, Named),
        ("CountMessages @-DeadLetterQueue-", Status, Named),
        ("CountMessages @-RuleDeadLetterQueue-", Status, Named),
        ("ReadIndex dynamodb:GetItem", History, Named),
        ("ReadIndex dynamodb:Query", History, Named),
        ("WriteIndex dynamodb:PutItem", Restore, Named),
        ("WriteIndex dynamodb:UpdateItem", Restore, Named),
        ("FindObjects s3:ListBucket", Rebuild, Named),
        ("ReadAndAddBackups s3:GetObject", SeedJournalled, Named),
        ("ReadAndAddBackups s3:GetObjectVersion", Show, Named),
        ("ReadAndAddBackups s3:PutObject", Restore, Named),
        ("ReadAndAddBackups s3:PutObjectTagging", Restore, Named),
        ("MarkValuesDeleted s3:DeleteObject", SeedDeletion, Named),
        ("ReadParameters ssm:GetParameter", SeedSealed, Named),
        ("ReadParameters ssm:GetParameterHistory", Restore, Named),
        ("ReadParameters ssm:GetParameters", Restore, Named),
        ("ReadParameters ssm:ListTagsForResource", Restore, Named),
        ("ListParameters ssm:DescribeParameters", Restore, Named),
        ("WriteParameters ssm:AddTagsToResource", Restore, Named),
        ("WriteParameters ssm:DeleteParameters", Restore, Named),
        ("WriteParameters ssm:LabelParameterVersion", Restore, Named),
        ("WriteParameters ssm:PutParameter", Restore, Named),
        ("WriteParameters ssm:RemoveTagsFromResource", Restore, Named),
        ("ReadAndWriteSecrets kms:Decrypt", ShowLive, Named),
        ("ReadAndWriteSecrets kms:Encrypt", Restore, Named),
        ("ReadAndWriteSecrets kms:GenerateDataKey", Restore, Named),
    ],
    untold: &[("UseKeyOfTheStack", OWN_KEY)],
};

pub(super) const OPERATOR: Role = Role {
    name: "operator",
    works: &[
        History,
        Status,
        Show,
        ShowLive,
        Rebuild,
        Seed,
        SeedDeletion,
        SeedJournalled,
        SeedSealed,
        Verify,
        Redrive,
        RedriveDry,
    ],
    needs: &[
        (
            "ReadTheStack cloudformation:DescribeStackResources",
            Status,
            Named,
        ),
        ("ReadTheStack cloudformation:DescribeStacks", Status, Named),
        ("ReadAlarms cloudwatch:DescribeAlarms", Status, Named),
        ("CountMessages sqs:GetQueueAttributes", Status, Named),
        ("CountMessages @-Queue-", Status, Named),
        ("CountMessages @-DeadLetterQueue-", Status, Named),
        ("CountMessages @-RuleDeadLetterQueue-", Status, Named),
        (
            "TakeDeadLetters sqs:ChangeMessageVisibility",
            RedriveDry,
            Around,
        ),
        ("TakeDeadLetters sqs:DeleteMessage", Redrive, Named),
        ("TakeDeadLetters sqs:ReceiveMessage", RedriveDry, Named),
        ("TakeDeadLetters @-DeadLetterQueue-", RedriveDry, Named),
        ("TakeDeadLetters @-RuleDeadLetterQueue-", RedriveDry, Named),
        ("PutThemBack sqs:SendMessage", Redrive, Named),
        ("ReadIndex dynamodb:GetItem", History, Named),
        ("ReadIndex dynamodb:Query", History, Named),
        ("WriteIndex dynamodb:PutItem", Seed, Named),
        ("WriteIndex dynamodb:UpdateItem", Seed, Named),
        ("FindObjects s3:ListBucket", Rebuild, Named),
        ("FindObjects s3:ListBucketVersions", Verify, Named),
        ("ReadAndAddBackups s3:GetObject", SeedJournalled, Named),
        ("ReadAndAddBackups s3:GetObjectVersion", Show, Named),
        ("ReadAndAddBackups s3:PutObject", Seed, Named),
        ("ReadAndAddBackups s3:PutObjectTagging", Seed, Named),
        ("MarkValuesDeleted s3:DeleteObject", SeedDeletion, Named),
        ("ReadParameters ssm:GetParameter", SeedSealed, Named),
        ("ReadParameters ssm:GetParameterHistory", Seed, Named),
        ("ReadParameters ssm:GetParameters", History, Around),
        ("ReadParameters ssm:ListTagsForResource", Seed, Named),
        ("ListParameters ssm:DescribeParameters", Seed, Named),
        ("ReadSecrets kms:Decrypt", Seed, Named),
    ],
    untold: &[("UseKeyOfTheStack", OWN_KEY)],
};

pub(super) const CAPTURE: Role = Role {
    name: "capture",
    works: &[
        Captures,
        CapturesDeletion,
        CapturesJournalled,
        CapturesSealed,
        CapturesHidden,
        Checks,
    ],
    needs: &[
        ("ReadParameters ssm:GetParameter", CapturesSealed, Named),
        ("ReadParameters ssm:GetParameterHistory", Captures, Named),
        ("ReadParameters ssm:ListTagsForResource", Captures, Named),
        ("ReadSecrets kms:Decrypt", Captures, Named),
        ("FindObjects s3:ListBucket", Checks, Named),
        (
            "WriteValuesAndJournal s3:GetObject",
            CapturesJournalled,
            Named,
        ),
        (
            "WriteValuesAndJournal s3:GetObjectVersion",
            CapturesHidden,
            Named,
        ),
        ("WriteValuesAndJournal s3:PutObject", Captures, Named),
        ("WriteValuesAndJournal s3:PutObjectTagging", Captures, Named),
        ("MarkValuesDeleted s3:DeleteObject", CapturesDeletion, Named),
        ("WriteIndex dynamodb:GetItem", Captures, Named),
        ("WriteIndex dynamodb:PutItem", Captures, Named),
        ("WriteIndex dynamodb:Query", Captures, Named),
        ("WriteIndex dynamodb:UpdateItem", Captures, Named),
    ],
    untold: &[
        ("TakeMessages", NO_POLLER),
        ("WriteLog", NO_LOG),
        ("UseKeyOfTheStack", OWN_KEY),
    ],
};

pub(super) const RECONCILE: Role = Role {
    name: "reconcile",
    works: &[Reconciles, ReconcilesSealed],
    needs: &[
        ("ReadParameters ssm:GetParameter", ReconcilesSealed, Named),
        ("FindObjects s3:ListBucket", Reconciles, Named),
        ("WriteValuesAndJournal s3:GetObject", Reconciles, Named),
        ("ReadParameters ssm:GetParameterHistory", Reconciles, Named),
        ("ReadParameters ssm:ListTagsForResource", Reconciles, Named),
        ("ListParameters ssm:DescribeParameters", Reconciles, Named),
        ("ReadSecrets kms:Decrypt", Reconciles, Named),
        ("WriteValuesAndJournal s3:PutObject", Reconciles, Named),
        (
            "WriteValuesAndJournal s3:PutObjectTagging",
            Reconciles,
            Named,
        ),
        ("MarkValuesDeleted s3:DeleteObject", Reconciles, Named),
        ("WriteIndex dynamodb:GetItem", Reconciles, Named),
        ("WriteIndex dynamodb:PutItem", Reconciles, Named),
        ("WriteIndex dynamodb:Query", Reconciles, Named),
        ("WriteIndex dynamodb:UpdateItem", Reconciles, Named),
    ],
    untold: &[
        ("WriteValuesAndJournal s3:GetObjectVersion", SHARED),
        ("WriteLog", NO_LOG),
        ("UseKeyOfTheStack", OWN_KEY),
    ],
};
