//! The object versions of each name, in order of names: the bucket is listed
//! once, beside the heads, which come in the same order.

use std::collections::VecDeque;

use crate::domain::{Name, Target};
use crate::store::{KeptVersion, StoreError, Stores, VersionsFrom};

/// All versions under a prefix, key by key.
pub(super) struct Versions<'a> {
    stores: &'a Stores,
    prefix: String,
    from: Option<VersionsFrom>,
    /// Versions that were listed and not yet taken, in order of keys.
    held: VecDeque<KeptVersion>,
    /// Values of keys that no head has.
    pub(super) without_head: usize,
}

impl<'a> Versions<'a> {
    pub(super) fn of(stores: &'a Stores, target: &Target) -> Self {
        Self {
            stores,
            prefix: target.as_str().to_owned(),
            from: Some(VersionsFrom::default()),
            held: VecDeque::new(),
            without_head: 0,
        }
    }

    /// The versions at the key of `name`. Those of keys before it are passed
    /// over: names must be asked for in order.
    pub(super) async fn take(&mut self, name: &Name) -> Result<Vec<KeptVersion>, StoreError> {
        let mut own = Vec::new();
        loop {
            while let Some(next) = self.held.pop_front() {
                match next.key.as_str().cmp(name.as_str()) {
                    std::cmp::Ordering::Less => self.pass_over(&next),
                    std::cmp::Ordering::Equal => own.push(next),
                    std::cmp::Ordering::Greater => {
                        self.held.push_front(next);
                        return Ok(own);
                    }
                }
            }
            let Some(from) = self.from.take() else {
                return Ok(own);
            };
            let (page, next) = self.stores.bucket.versions(&self.prefix, from).await?;
            self.held.extend(page);
            self.from = next;
        }
    }

    /// Passes over what is left.
    pub(super) async fn finish(&mut self) -> Result<(), StoreError> {
        loop {
            while let Some(next) = self.held.pop_front() {
                self.pass_over(&next);
            }
            let Some(from) = self.from.take() else {
                return Ok(());
            };
            let (page, next) = self.stores.bucket.versions(&self.prefix, from).await?;
            self.held.extend(page);
            self.from = next;
        }
    }

    fn pass_over(&mut self, version: &KeptVersion) {
        self.without_head += usize::from(!version.marker);
    }
}
