//! The token that a forge is asked with: taken from the environment, sent in a header, and never
//! shown.

use std::fmt;

use reqwest::header::HeaderValue;

use super::ForgeError;
use crate::config::Environment;

/// What stands where a token would.
const HIDDEN: &str = "****";

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({HIDDEN})")
    }
}

impl Token {
    /// The first that one of these variables holds.
    ///
    /// # Errors
    /// Where none of them is set, or one holds what cannot be sent in a header.
    pub fn of(environment: &Environment, names: &[&str]) -> Result<Self, ForgeError> {
        let found = names.iter().find_map(|name| Some((name, environment.get(name)?.trim())));
        let Some((name, text)) = found else {
            return Err(ForgeError::NoToken { names: names.join(" or ") });
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ForgeError::Setting {
                name: (*name).to_owned(),
                problem: "expected a token, found text that is none".to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// As the value of a header, behind the name of its scheme.
    pub(super) fn header(&self, scheme: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// A text from outside, without the token that it may repeat.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.0, HIDDEN)
    }
}
