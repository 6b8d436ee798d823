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
        Statement::Expression(Expression::Call(call))
        | Statement::Assign(_, Expression::Call(call)) => match &call.function {
            Expression::Name(name) | Expression::Attribute(_, name) => {
                name == "import_module" || name == "__import__"
            }
            _ => false,
        },
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
        Statement::With(_, body) => vec![body],
        Statement::For(_, _, body, orelse) | Statement::While(_, body, orelse) => {
            vec![body, orelse]
        }
        Statement::Match(_, cases) => cases.iter().map(|case| case.body.as_slice()).collect(),
        Statement::Function(function, _) => vec![&function.body],
        Statement::Class(class, _) => vec![&class.body],
        _ => Vec::new(),
    }
}
