//! Comparisons of what is known.

use std::cmp::Ordering;

use super::value::{Entry, Value};
use crate::imports::facts::Comparison;

/// `==`; `None` where it is not known.
pub(super) fn equal(left: &Value, right: &Value) -> Option<bool> {
    equal_within(left, right, 6)
}

/// Containers that hold each other more than once would take exponential time.
fn equal_within(left: &Value, right: &Value, depth: u32) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    match (left, right) {
        (Value::OneOf(values), other) | (other, Value::OneOf(values)) => {
            let mut answers = values.iter().map(|value| equal_within(value, other, depth));
            let first = answers.next()??;
            answers.all(|answer| answer == Some(first)).then_some(first)
        }
        (Value::Unknown | Value::Something | Value::Lazy(_) | Value::Instance(_), Value::None)
        | (Value::None, Value::Unknown | Value::Something | Value::Lazy(_) | Value::Instance(_)) => {
            left.is_none().zip(right.is_none()).filter(|(a, b)| a != b).map(|_| false)
        }
        (Value::Unknown | Value::Something | Value::Lazy(_) | Value::Instance(_), _)
        | (_, Value::Unknown | Value::Something | Value::Lazy(_) | Value::Instance(_)) => None,
        (Value::Prefix(a), Value::Text(b)) | (Value::Text(b), Value::Prefix(a)) => {
            (!b.starts_with(a.as_str())).then_some(false)
        }
        (Value::Prefix(_), Value::Prefix(_)) => None,
        (Value::List(a), Value::List(b)) => {
            if a.open || b.open {
                return None;
            }
            if a.items.len() != b.items.len() {
                return Some(false);
            }
            all(a.items.iter().zip(&b.items).map(|(a, b)| equal_within(a, b, depth)))
        }
        (Value::Dict(_), Value::Dict(_)) => None,
        (Value::Standard(a), Value::Standard(b)) if a != b => None,
        (Value::Standard(_), Value::Text(_) | Value::Integer(_) | Value::List(_))
        | (Value::Text(_) | Value::Integer(_) | Value::List(_), Value::Standard(_)) => None,
        (Value::Bool(a), Value::Integer(b)) | (Value::Integer(b), Value::Bool(a)) => {
            Some(i64::from(*a) == *b)
        }
        _ => Some(left.same(right)),
    }
}

fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// Any comparison; `None` where the outcome is not known.
pub(super) fn compare(operator: Comparison, left: &Value, right: &Value) -> Option<bool> {
    Some(match operator {
        Comparison::Equal => equal(left, right)?,
        Comparison::NotEqual => !equal(left, right)?,
        Comparison::Is => identical(left, right)?,
        Comparison::IsNot => !identical(left, right)?,
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
        Comparison::Less => order(left, right)? == Ordering::Less,
        Comparison::LessOrEqual => order(left, right)? != Ordering::Greater,
        Comparison::Greater => order(left, right)? == Ordering::Greater,
        Comparison::GreaterOrEqual => order(left, right)? != Ordering::Less,
    })
}

fn identical(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::None, other) | (other, Value::None) => other.is_none(),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Unknown | Value::OneOf(_) | Value::Lazy(_) | Value::Something, _)
        | (_, Value::Unknown | Value::OneOf(_) | Value::Lazy(_) | Value::Something) => None,
        (Value::Bool(_), _) | (_, Value::Bool(_)) => Some(false),
        _ if left.same(right) => Some(true),
        _ => None,
    }
}

fn contains(container: &Value, item: &Value) -> Option<bool> {
    match container {
        Value::Text(text) => item.as_text().map(|item| text.contains(item)),
        Value::Dict(dict) => match dict.get(item) {
            Entry::Found(_) => Some(true),
            Entry::Absent => Some(false),
            Entry::Unknown => None,
        },
        Value::List(list) => {
            let mut known = !list.open;
            for one in &list.items {
                match equal(one, item) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => known = false,
                }
            }
            known.then_some(false)
        }
        _ => None,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    order_within(left, right, 4)
}

fn order_within(left: &Value, right: &Value, depth: u32) -> Option<Ordering> {
    let depth = depth.checked_sub(1)?;
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::List(a), Value::List(b)) => {
            for (a, b) in a.items.iter().zip(&b.items) {
                if equal(a, b)? {
                    continue;
                }
                return order_within(a, b, depth);
            }
            if a.open || b.open {
                return None;
            }
            Some(a.items.len().cmp(&b.items.len()))
        }
        _ => None,
    }
}
