//! Arithmetic of what is known: comparisons, and methods of texts, lists and dictionaries.

use std::cmp::Ordering;

use super::value::{Dict, List, MAX_ITEMS, Value};
use crate::imports::facts::{Comparison, Name};

/// Texts longer than this are not built.
const MAX_TEXT: usize = 2_000;

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
        Value::Dict(dict) => dict.get(item).map(|found| found.is_some()),
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

/// `left + right`.
pub(super) fn add(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => {
            a.checked_add(*b).map_or(Value::Unknown, Value::Integer)
        }
        (Value::Text(a), Value::Text(b)) if a.len() + b.len() <= MAX_TEXT => {
            Value::text(format!("{a}{b}"))
        }
        (Value::Text(a), Value::Prefix(b)) if a.len() + b.len() <= MAX_TEXT => {
            Value::Prefix(Name::new(format!("{a}{b}")))
        }
        (Value::Text(a) | Value::Prefix(a), _) => Value::Prefix(a.clone()),
        (Value::List(a), Value::List(b)) => {
            let mut items = a.items.clone();
            items.extend(b.items.iter().cloned());
            let open = a.open || b.open;
            Value::of_list(List::new(items, open))
        }
        (Value::Dict(a), Value::Dict(b)) => {
            let mut dict = b
                .items
                .iter()
                .fold((**a).clone(), |dict, (key, value)| dict.with(key.clone(), value.clone()));
            dict.open |= b.open;
            Value::of_dict(dict)
        }
        (Value::List(a), other) => {
            let mut list = List::new(a.items.clone(), true);
            if let Some((items, _)) = other.elements() {
                list.items.extend(items);
                list.open = a.open;
            }
            Value::of_list(list)
        }
        (Value::Dict(a), _) => Value::of_dict(Dict::new(a.items.clone(), true)),
        _ => Value::Unknown,
    }
}

/// `text % value`, as far as the places are `%s`.
pub(super) fn modulo(left: &Value, right: &Value) -> Value {
    let Value::Text(format) = left else { return Value::Unknown };
    let values = match right {
        Value::List(list) => list.items.clone(),
        other => vec![other.clone()],
    };
    let mut values = values.into_iter();
    let mut parts = Vec::new();
    let mut rest = format.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        parts.push(Value::text(before));
        let Some(after) = after.strip_prefix('s') else {
            parts.push(Value::Unknown);
            rest = "";
            break;
        };
        parts.push(values.next().unwrap_or(Value::Unknown));
        rest = after;
    }
    parts.push(Value::text(rest));
    concatenate(&parts)
}

/// Texts one after the other, known up to the first that is not.
pub(super) fn concatenate(parts: &[Value]) -> Value {
    let mut text = String::new();
    for part in parts {
        match part {
            Value::Text(part) => text.push_str(part),
            Value::Integer(part) => text.push_str(&part.to_string()),
            Value::Prefix(part) => {
                text.push_str(part);
                return Value::Prefix(Name::new(text));
            }
            _ => return Value::Prefix(Name::new(text)),
        }
        if text.len() > MAX_TEXT {
            return Value::Prefix(Name::new(text));
        }
    }
    Value::text(text)
}

/// `value[index]`; `Ok(None)` where it is not known.
///
/// # Errors
/// Where there is no such item, with the exception's name.
pub(super) fn item(value: &Value, index: &Value) -> Result<Option<Value>, &'static str> {
    match (value, index) {
        (Value::Dict(dict), key) => match dict.get(key) {
            None => Ok(None),
            Some(None) => Err("KeyError"),
            Some(found) => Ok(found),
        },
        (Value::List(list), Value::Integer(at)) => {
            let found = usize::try_from(*at).ok().map_or_else(
                || {
                    let from_end = usize::try_from(at.unsigned_abs()).ok()?;
                    let at = list.items.len().checked_sub(from_end).filter(|_| !list.open)?;
                    list.items.get(at)
                },
                |at| list.items.get(at),
            );
            match found {
                Some(found) => Ok(Some(found.clone())),
                None if list.open => Ok(None),
                None => Err("IndexError"),
            }
        }
        (Value::Text(text), Value::Integer(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| text.chars().nth(at));
            Ok(found.map(|letter| Value::text(letter.to_string())))
        }
        _ => Ok(None),
    }
}

/// `value[lower:upper]`.
pub(super) fn slice(value: &Value, lower: Option<i64>, upper: Option<i64>) -> Value {
    let bounds = |length: usize| {
        let place = |bound: i64| match usize::try_from(bound) {
            Ok(bound) => bound.min(length),
            Err(_) => usize::try_from(bound.unsigned_abs())
                .map_or(0, |from_end| length.saturating_sub(from_end)),
        };
        let start = lower.map_or(0, place);
        (start, upper.map_or(length, place).max(start))
    };
    match value {
        Value::List(list) if !list.open => {
            let (start, end) = bounds(list.items.len());
            Value::list(list.items.get(start..end).unwrap_or_default().to_vec())
        }
        // From the front, what is known is enough.
        Value::List(list) if lower.is_none_or(|at| at >= 0) && upper.is_some_and(|at| at >= 0) => {
            let (start, end) = bounds(list.items.len());
            Value::list(list.items.get(start..end).unwrap_or_default().to_vec())
        }
        Value::Text(text) => {
            let letters: Vec<char> = text.chars().collect();
            let (start, end) = bounds(letters.len());
            Value::text(letters.get(start..end).unwrap_or_default().iter().collect::<String>())
        }
        _ => Value::Unknown,
    }
}

/// A method of a text.
pub(super) fn text_method(text: &str, method: &str, arguments: &[Value]) -> Value {
    let first = arguments.first();
    let first_text = first.and_then(Value::as_text);
    let texts =
        |parts: &mut dyn Iterator<Item = &str>| Value::list(parts.map(Value::text).collect());
    let prefixes = |test: &dyn Fn(&str) -> bool| match first {
        Some(Value::Text(one)) => Value::Bool(test(one)),
        Some(Value::List(list)) if !list.open => {
            let known: Option<Vec<&str>> = list.items.iter().map(Value::as_text).collect();
            known.map_or(Value::Unknown, |known| Value::Bool(known.into_iter().any(test)))
        }
        _ => Value::Unknown,
    };
    let limit = arguments.get(1).map(|limit| match limit {
        Value::Integer(limit) => usize::try_from(*limit).ok(),
        _ => None,
    });
    match (method, first_text) {
        ("lower" | "casefold", _) => Value::text(text.to_lowercase()),
        ("upper", _) => Value::text(text.to_uppercase()),
        ("title" | "capitalize", _) => Value::Something,
        ("strip", None) if first.is_none() => Value::text(text.trim()),
        ("lstrip", None) if first.is_none() => Value::text(text.trim_start()),
        ("rstrip", None) if first.is_none() => Value::text(text.trim_end()),
        ("strip", Some(letters)) => Value::text(text.trim_matches(|l| letters.contains(l))),
        ("lstrip", Some(letters)) => Value::text(text.trim_start_matches(|l| letters.contains(l))),
        ("rstrip", Some(letters)) => Value::text(text.trim_end_matches(|l| letters.contains(l))),
        ("startswith", _) => prefixes(&|one| text.starts_with(one)),
        ("endswith", _) => prefixes(&|one| text.ends_with(one)),
        ("isdigit" | "isdecimal" | "isnumeric", _) => {
            Value::Bool(!text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit()))
        }
        ("isidentifier", _) => Value::Unknown,
        ("removeprefix", Some(part)) => Value::text(text.strip_prefix(part).unwrap_or(text)),
        ("removesuffix", Some(part)) => Value::text(text.strip_suffix(part).unwrap_or(text)),
        ("split", None) if first.is_none() => texts(&mut text.split_whitespace()),
        ("split", Some(at)) if !at.is_empty() => match limit {
            None => texts(&mut text.split(at)),
            Some(Some(limit)) => texts(&mut text.splitn(limit.saturating_add(1), at)),
            Some(None) => Value::Unknown,
        },
        ("rsplit", Some(at)) if !at.is_empty() => match limit {
            None => texts(&mut text.split(at)),
            Some(Some(limit)) => {
                let mut parts: Vec<&str> = text.rsplitn(limit.saturating_add(1), at).collect();
                parts.reverse();
                texts(&mut parts.into_iter())
            }
            Some(None) => Value::Unknown,
        },
        ("partition", Some(at)) if !at.is_empty() => match text.split_once(at) {
            Some((before, after)) => texts(&mut [before, at, after].into_iter()),
            None => texts(&mut [text, "", ""].into_iter()),
        },
        ("rpartition", Some(at)) if !at.is_empty() => match text.rsplit_once(at) {
            Some((before, after)) => texts(&mut [before, at, after].into_iter()),
            None => texts(&mut ["", "", text].into_iter()),
        },
        ("replace", Some(old)) if !old.is_empty() => match arguments.get(1) {
            Some(Value::Text(new)) if text.len() * (new.len() + 1) <= MAX_TEXT * 4 => {
                Value::text(text.replace(old, new))
            }
            _ => Value::Unknown,
        },
        ("join", _) => match first {
            Some(Value::List(list)) if !list.open => {
                let mut parts = Vec::new();
                for (at, item) in list.items.iter().enumerate() {
                    if at > 0 {
                        parts.push(Value::text(text));
                    }
                    parts.push(item.clone());
                }
                concatenate(&parts)
            }
            _ => Value::Unknown,
        },
        ("format", _) => format_method(text, arguments),
        ("count" | "find" | "index" | "rfind", _) => Value::Unknown,
        ("encode", _) => Value::Unknown,
        _ => Value::Unknown,
    }
}

/// `text.format(...)`, as far as the places are `{}`.
fn format_method(text: &str, arguments: &[Value]) -> Value {
    let mut values = arguments.iter();
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(Value::text(before));
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        parts.push(match name {
            "" => values.next().cloned().unwrap_or(Value::Unknown),
            number => {
                let at = number.parse::<usize>().ok();
                at.and_then(|at| arguments.get(at)).cloned().unwrap_or(Value::Unknown)
            }
        });
        rest = after;
    }
    parts.push(Value::text(rest));
    concatenate(&parts)
}

/// What a method makes of a list: what it is afterwards, and what the call gives.
pub(super) fn list_method(list: &List, method: &str, arguments: &[Value]) -> (Option<List>, Value) {
    let changed = |list: List| (Some(list), Value::None);
    let mut new = list.clone();
    match (method, arguments.first()) {
        ("append" | "add", Some(item)) => {
            if new.items.len() < MAX_ITEMS {
                new.items.push(item.clone());
            } else {
                new.open = true;
            }
            changed(new)
        }
        ("insert", Some(_)) => {
            new.items.extend(arguments.get(1).cloned());
            changed(new)
        }
        ("extend" | "update", Some(items)) => {
            match items.elements() {
                Some((items, open)) => {
                    new.open |= open || new.items.len() + items.len() > MAX_ITEMS;
                    if new.items.len() + items.len() <= MAX_ITEMS {
                        new.items.extend(items);
                    }
                }
                None => new.open = true,
            }
            changed(new)
        }
        ("remove" | "discard", Some(item)) => {
            new.items.retain(|one| equal(one, item) == Some(false));
            changed(new)
        }
        ("clear", _) => changed(List::default()),
        ("sort" | "reverse", _) => (None, Value::None),
        ("copy", _) => (None, Value::of_list(new)),
        ("pop", _) => {
            let last = new.items.pop();
            new.open = true;
            (Some(new), last.unwrap_or(Value::Unknown))
        }
        ("union", Some(other)) => (None, add(&Value::of_list(new), other)),
        _ => (None, Value::Unknown),
    }
}

/// What a method makes of a dictionary: what it is afterwards, and what the call gives.
pub(super) fn dict_method(dict: &Dict, method: &str, arguments: &[Value]) -> (Option<Dict>, Value) {
    let list = |items: Vec<Value>| (None, Value::of_list(List::new(items, dict.open)));
    match (method, arguments.first()) {
        ("items", _) => list(
            dict.items
                .iter()
                .map(|(key, value)| Value::list(vec![key.clone(), value.clone()]))
                .collect(),
        ),
        ("keys", _) => list(dict.items.iter().map(|(key, _)| key.clone()).collect()),
        ("values", _) => list(dict.items.iter().map(|(_, value)| value.clone()).collect()),
        ("copy", _) => (None, Value::of_dict(dict.clone())),
        ("get", Some(key)) => {
            let value = match dict.get(key) {
                Some(Some(value)) => value,
                Some(None) => arguments.get(1).cloned().unwrap_or(Value::None),
                None => Value::Unknown,
            };
            (None, value)
        }
        ("setdefault", Some(key)) => match dict.get(key) {
            Some(Some(value)) => (None, value),
            Some(None) => {
                let value = arguments.get(1).cloned().unwrap_or(Value::None);
                (Some(dict.with(key.clone(), value.clone())), value)
            }
            None => (Some(Dict::new(dict.items.clone(), true)), Value::Unknown),
        },
        ("pop", Some(key)) => {
            let value = match dict.get(key) {
                Some(Some(value)) => value,
                _ => Value::Unknown,
            };
            let mut new = dict.clone();
            new.items.retain(|(one, _)| !one.same(key));
            (Some(new), value)
        }
        ("update", other) => {
            let new = match other {
                Some(other @ Value::Dict(_)) => add(&Value::of_dict(dict.clone()), other),
                _ => Value::of_dict(Dict::new(dict.items.clone(), true)),
            };
            match new {
                Value::Dict(new) => (Some((*new).clone()), Value::None),
                _ => (None, Value::None),
            }
        }
        _ => (None, Value::Unknown),
    }
}
