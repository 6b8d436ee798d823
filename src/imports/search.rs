//! Going through statements for the imports in them, without executing anything.

use super::facts::{Expression, Statement};

/// The imports in the bodies of functions, wherever they stand.
pub(super) fn imports_of_functions(body: &[Statement]) -> Vec<&Statement> {
    let mut found = Vec::new();
    let mut waiting = vec![(body, false)];
    while let Some((body, inside)) = waiting.pop() {
        for statement in body {
            if inside && is_import(statement) {
                found.push(statement);
            }
            let within = inside || matches!(statement, Statement::Function(..));
            for block in blocks(statement) {
                waiting.push((block, within));
            }
        }
    }
    found
}

fn is_import(statement: &Statement) -> bool {
    match statement {
        Statement::Import(_) | Statement::From(_) => true,
        Statement::Return(Some(Expression::Call(call)))
        | Statement::Expression(Expression::Call(call))
        | Statement::Assign(_, Expression::Call(call)) => {
            let name = match &call.function {
                Expression::Name(name) => name,
                Expression::Attribute(parts) => &parts.1,
                _ => return false,
            };
            name == "import_module" || name == "__import__"
        }
        _ => false,
    }
}

/// The blocks in a statement.
pub(super) fn blocks(statement: &Statement) -> Vec<&[Statement]> {
    match statement {
        Statement::If(arms) => arms.iter().map(|(_, body)| body.as_slice()).collect(),
        Statement::Try(inner) => {
            let handlers = inner.handlers.iter().map(|handler| handler.body.as_slice());
            [&inner.body, &inner.orelse, &inner.finally]
                .into_iter()
                .map(Vec::as_slice)
                .chain(handlers)
                .collect()
        }
        Statement::With(with) => vec![&with.body],
        Statement::For(inner) => vec![&inner.body, &inner.orelse],
        Statement::While(inner) => vec![&inner.body, &inner.orelse],
        Statement::Match(inner) => inner.1.iter().map(|case| case.body.as_slice()).collect(),
        Statement::Function(function, _) => vec![&function.body],
        Statement::Class(class, _) => vec![&class.body],
        _ => Vec::new(),
    }
}
