//! Imports by functions, and questions about what there is to import.

use super::value::Value;
use super::{Frame, Outcome, Run, Stop};
use crate::imports::environment::relative;
use crate::imports::facts::{At, Name};
use crate::imports::standard_library::{Presence, presence};

impl Run<'_> {
    pub(super) fn import_by_name(
        &mut self,
        frame: &Frame,
        name: &Value,
        package: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let whole = |text: &str| -> Option<String> {
            let level = text.len() - text.trim_start_matches('.').len();
            if level == 0 {
                return Some(text.to_owned());
            }
            let level = u32::try_from(level).ok()?;
            relative(package.as_text()?, level, text.trim_start_matches('.'))
        };
        match name {
            Value::Text(text) => match whole(text) {
                Some(dotted) => self.import_dotted(&dotted, Some(frame.module), at),
                None => self.import_computed(frame, None, at),
            },
            Value::Prefix(text) => {
                // What follows the dots is not known: any module of the package.
                let beginning = match whole(text) {
                    Some(base) if text.ends_with('.') && !base.ends_with('.') => {
                        Some(format!("{base}."))
                    }
                    other => other,
                };
                self.import_computed(frame, beginning.as_deref(), at)
            }
            Value::OneOf(values) => {
                let mut given = Vec::new();
                self.fork(values.len(), |run, way| {
                    let Some(value) = values.get(way) else { return Ok(()) };
                    given.push(run.import_by_name(frame, value, package, at)?);
                    Ok(())
                })?;
                Ok(Value::one_of(given))
            }
            _ => self.import_computed(frame, None, at),
        }
    }

    pub(super) fn dunder_import(
        &mut self,
        frame: &Frame,
        name: &Value,
        names: &Value,
        level: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let level = match level {
            Value::Integer(level) => u32::try_from(*level).unwrap_or(0),
            _ => 0,
        };
        let Value::Text(name) = name else {
            let known = name.as_prefix();
            let beginning = match (level, self.absolute(frame.module, level, "")) {
                (1.., Some(base)) => Some(format!("{base}.{}", known.unwrap_or_default())),
                _ => known.map(str::to_owned),
            };
            return self.import_computed(frame, beginning.as_deref(), at);
        };
        let Some(dotted) = self.absolute(frame.module, level, name) else {
            return Ok(Value::Unknown);
        };
        if names.truth() == Some(false) {
            return self.import_first(&dotted, Some(frame.module), at);
        }
        let value = self.import_dotted(&dotted, Some(frame.module), at)?;
        if let (Value::Module(_), Some((items, _))) = (&value, names.elements()) {
            for item in items {
                if let Value::Text(item) = item
                    && self.environment.find(&format!("{dotted}.{item}")).is_some()
                    && self.has_attribute(&value, &item)? != Some(true)
                {
                    self.import_dotted(&format!("{dotted}.{item}"), Some(frame.module), at)?;
                }
            }
        }
        Ok(value)
    }

    /// `find_spec`, which imports the packages that the module lies in.
    pub(super) fn find_spec(
        &mut self,
        frame: &Frame,
        name: &Value,
        package: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let Value::Text(text) = name else { return Ok(Value::Unknown) };
        let dotted = if text.starts_with('.') {
            let level = text.len() - text.trim_start_matches('.').len();
            let level = u32::try_from(level).unwrap_or(1);
            let base = package.as_text().unwrap_or_default();
            relative(base, level, text.trim_start_matches('.'))
        } else {
            Some(text.to_string())
        };
        let Some(dotted) = dotted else { return Ok(Value::Unknown) };
        match presence(&dotted, self.environment.target, self.environment.platform) {
            Presence::Here => return Ok(Value::Something),
            Presence::Absent => return Ok(Value::None),
            Presence::Perhaps => return Ok(Value::Unknown),
            Presence::Foreign => {}
        }
        if let Some((parent, _)) = dotted.rsplit_once('.') {
            self.import_dotted(parent, Some(frame.module), at)?;
        }
        Ok(match self.environment.find(&dotted) {
            // The slash ends the name, whatever attribute is asked for.
            Some(_) => Value::standard(&format!("<spec>{dotted}/")),
            None if self.replaced.contains_key(&dotted) => Value::Unknown,
            None if self.environment.not_seen(dotted.split('.').next().unwrap_or("")).is_some() => {
                Value::Unknown
            }
            None => Value::None,
        })
    }

    pub(super) fn metadata(&mut self, name: &Value) -> Outcome<Value> {
        let known = name.as_text().map(|name| {
            let normalized = name.to_lowercase().replace(['_', '.'], "-");
            self.environment.has_distribution(&normalized)
        });
        match known {
            Some(Some(false)) => {
                let class = Value::standard("importlib.metadata.PackageNotFoundError");
                if self.is_caught(&class) {
                    return Err(Stop::Raise(class));
                }
                Ok(Value::Unknown)
            }
            Some(Some(true)) => Ok(Value::Something),
            _ => {
                self.doubts.called = true;
                Ok(Value::Unknown)
            }
        }
    }

    /// `pkgutil.iter_modules(__path__)`: the modules of the package, each with its name.
    pub(super) fn own_modules(&mut self, frame: &Frame, arguments: &[Value]) -> Value {
        let own = matches!(arguments.first(), Some(Value::Standard(name)) if name == "__path__");
        let prefix = arguments.get(1).map_or(Some(""), Value::as_text);
        let (true, Some(prefix)) = (own, prefix) else { return Value::Unknown };
        let children: Vec<_> = self.environment.children(frame.module).collect();
        let items = children.into_iter().filter(|child| !self.environment.is_folder(*child));
        let items = items.map(|child| {
            let name = self.environment.name(child);
            let last = name.rsplit('.').next().unwrap_or(&name);
            Value::list(vec![
                Value::Unknown,
                Value::text(format!("{prefix}{last}")),
                Value::Bool(self.environment.is_package(child)),
            ])
        });
        Value::list(items.collect())
    }

    pub(super) fn imported_already(&self, name: &str) -> Value {
        if let Some(value) = self.replaced.get(name) {
            return value.clone();
        }
        if presence(name, self.environment.target, self.environment.platform) != Presence::Foreign {
            return Value::Standard(Name::new(name));
        }
        match self.environment.find(name) {
            Some(module) => Value::Module(module),
            None => Value::Unknown,
        }
    }
}
