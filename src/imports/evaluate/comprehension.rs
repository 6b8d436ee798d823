//! Comprehensions.

use super::value::{Dict, List, Value};
use super::{Frame, Outcome, Run};
use crate::imports::facts::Comprehension;

/// What a comprehension goes through within another.
const MAX_GENERATORS: usize = 8;
/// Elements that a comprehension is made from.
const MAX_ELEMENTS: usize = 1_000;

impl Run<'_> {
    pub(super) fn comprehension(&mut self, frame: &Frame, inner: &Comprehension) -> Outcome<Value> {
        let scope = self.new_scope();
        let mut outer = frame.outer.clone();
        outer.push(frame.scope);
        let inside =
            Frame { outer, receiver: frame.receiver.clone(), ..Frame::of(frame.module, scope) };
        let mut pairs = Vec::new();
        let mut open = false;
        if inner.generators.len() > MAX_GENERATORS {
            return Ok(Value::Unknown);
        }
        let captures = self.captures;
        self.generate(&inside, inner, 0, &mut pairs, &mut open)?;
        if self.captures == captures {
            self.drop_scope(scope);
        }
        Ok(if inner.key.is_some() {
            let items = pairs.into_iter().filter_map(|(key, value)| Some((key?, value))).collect();
            Value::of_dict(Dict::new(items, open))
        } else {
            let items = pairs.into_iter().map(|(_, value)| value).collect();
            Value::of_list(List::new(items, open))
        })
    }

    pub(super) fn generate(
        &mut self,
        frame: &Frame,
        inner: &Comprehension,
        at: usize,
        pairs: &mut Vec<(Option<Value>, Value)>,
        open: &mut bool,
    ) -> Outcome {
        let Some((target, through, conditions)) = inner.generators.get(at) else {
            if pairs.len() >= MAX_ELEMENTS {
                *open = true;
                return Ok(());
            }
            let key = match &inner.key {
                Some(key) => Some(self.evaluate(frame, key)?),
                None => None,
            };
            let value = self.evaluate(frame, &inner.element)?;
            pairs.push((key, value));
            return Ok(());
        };
        let through = self.evaluate(frame, through)?;
        let known = through.elements().filter(|(items, _)| items.len() <= MAX_ELEMENTS);
        let (items, more) = known.unwrap_or((Vec::new(), true));
        'items: for item in items {
            self.assign(frame, target, item)?;
            let mut certain = true;
            for condition in conditions {
                match self.evaluate(frame, condition)?.truth() {
                    Some(false) => continue 'items,
                    Some(true) => {}
                    None => certain = false,
                }
            }
            if certain {
                self.generate(frame, inner, at + 1, pairs, open)?;
            } else {
                *open = true;
                self.fork(2, |run, way| match way {
                    0 => run.generate(frame, inner, at + 1, &mut Vec::new(), &mut false),
                    _ => Ok(()),
                })?;
            }
        }
        if more {
            *open = true;
            self.fork(2, |run, way| {
                if way == 1 {
                    return Ok(());
                }
                run.assign(frame, target, Value::Unknown)?;
                for condition in conditions {
                    run.evaluate(frame, condition)?;
                }
                run.generate(frame, inner, at + 1, &mut Vec::new(), &mut false)
            })?;
        }
        Ok(())
    }
}
