//! Which KMS keys take the place of those on record.

use std::collections::BTreeMap;

/// Keys that take the place of others when secrets are put back: one for all,
/// and one for each of some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMap {
    all: Option<String>,
    each: BTreeMap<String, String>,
}

/// Why texts make no [`KeyMap`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// A key is empty.
    #[error("{0:?} is neither KEY nor OLD=NEW")]
    Shape(String),
    /// Two keys for the same one.
    #[error("two keys are given for {0}")]
    Twice(String),
}

impl KeyMap {
    /// Reads `KEY` (for all secrets) and `OLD=NEW` (for those under `OLD`,
    /// spelled as on record). Neither key ids nor ARNs nor aliases hold a `=`.
    pub fn parse(texts: &[String]) -> Result<Self, KeyMapError> {
        let mut map = Self::default();
        for text in texts {
            let shape = || KeyMapError::Shape(text.clone());
            let before = match text.split_once('=') {
                None if text.is_empty() => return Err(shape()),
                None => map.all.replace(text.clone()).map(|_| "all".to_owned()),
                Some((old, new)) if old.is_empty() || new.is_empty() || new.contains('=') => {
                    return Err(shape());
                }
                Some((old, new)) => {
                    let before = map.each.insert(old.to_owned(), new.to_owned());
                    before.map(|_| old.to_owned())
                }
            };
            if let Some(twice) = before {
                return Err(KeyMapError::Twice(twice));
            }
        }
        Ok(map)
    }

    /// The texts that make this map.
    pub fn texts(&self) -> Vec<String> {
        let each = self.each.iter().map(|(old, new)| format!("{old}={new}"));
        self.all.iter().cloned().chain(each).collect()
    }

    /// Whether somebody said which key to use in the place of `key`, be it the same one.
    pub fn is_given_for(&self, key: Option<&str>) -> bool {
        self.all.is_some() || key.is_some_and(|key| self.each.contains_key(key))
    }

    /// The key that takes the place of `key`; none where that one stays.
    pub fn instead_of(&self, key: Option<&str>) -> Option<String> {
        let own = key.and_then(|key| self.each.get(key));
        let new = own.or(self.all.as_ref())?;
        (Some(new.as_str()) != key).then(|| new.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<KeyMap, KeyMapError> {
        let texts: Vec<String> = texts.iter().map(|&t| t.to_owned()).collect();
        KeyMap::parse(&texts)
    }

    #[test]
    fn one_key_for_all_and_others_for_some() {
        let map = parse(&["alias/all", "alias/old=alias/new"]).unwrap();
        let instead = |key| map.instead_of(key);
        assert_eq!(instead(Some("alias/old")).as_deref(), Some("alias/new"));
        assert_eq!(instead(Some("alias/other")).as_deref(), Some("alias/all"));
        assert_eq!(instead(None).as_deref(), Some("alias/all"));
        assert_eq!(instead(Some("alias/all")), None);
        assert_eq!(KeyMap::default().instead_of(Some("alias/old")), None);
        assert_eq!(KeyMap::parse(&map.texts()), Ok(map));
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for text in ["", "=", "a=", "=b", "a=b=c"] {
            assert_eq!(parse(&[text]), Err(KeyMapError::Shape(text.into())));
        }
        assert_eq!(parse(&["a", "b"]), Err(KeyMapError::Twice("all".into())));
        assert_eq!(parse(&["a=b", "a=c"]), Err(KeyMapError::Twice("a".into())));
    }
}
