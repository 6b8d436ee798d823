//! Expressions.

use std::sync::Arc;

use ruff_python_ast::{
    self as ast, BoolOp, CmpOp, Expr, FStringPart, InterpolatedStringElement, Number, UnaryOp,
};
use ruff_text_size::Ranged as _;

use super::Lowering;
use crate::imports::facts::{
    Call, Comparison, Comprehension, Expression, Name, Operator, Statement,
};

/// Longer texts are no names.
const MAX_TEXT: usize = 300;
/// Longer lists and dictionaries are tables of data.
const MAX_ELEMENTS: usize = 20_000;

impl Lowering<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Expression {
        self.deeper(|this| this.lower(expression)).unwrap_or(Expression::OPAQUE)
    }

    /// What an assignment binds. Attributes and subscripts are kept with what they are of.
    pub(super) fn target(&mut self, target: &Expr) -> Expression {
        self.expression(target)
    }

    /// Whether evaluating it does nothing that matters.
    pub(super) fn is_inert(&self, expression: &Expression) -> bool {
        expression.is_inert() || (!self.keeps_names && matches!(expression, Expression::Name(_)))
    }

    /// Something that is not followed, with what it evaluates.
    pub(super) fn opaque(&self, inner: impl IntoIterator<Item = Expression>) -> Expression {
        let mut kept = Vec::new();
        for inner in inner {
            match inner {
                Expression::Unknown(inner) => kept.extend(inner),
                inner if self.is_inert(&inner) => {}
                inner => kept.push(inner),
            }
        }
        Expression::Unknown(kept)
    }

    fn all(&mut self, expressions: &[Expr]) -> Vec<Expression> {
        expressions.iter().map(|inner| self.expression(inner)).collect()
    }

    fn boxed(&mut self, expression: &Expr) -> Box<Expression> {
        Box::new(self.expression(expression))
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of expression")]
    fn lower(&mut self, expression: &Expr) -> Expression {
        match expression {
            Expr::NoneLiteral(_) => Expression::None,
            Expr::BooleanLiteral(literal) => Expression::Bool(literal.value),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(integer) => {
                    integer.as_i64().map_or(Expression::OPAQUE, Expression::Integer)
                }
                _ => Expression::OPAQUE,
            },
            Expr::StringLiteral(literal) => text(literal.value.to_str()),
            Expr::Name(name) => Expression::Name(name.id.as_str().into()),
            Expr::Attribute(inner) => {
                let value = self.expression(&inner.value);
                Expression::Attribute(Box::new((value, inner.attr.as_str().into())))
            }
            Expr::Subscript(inner) => self.subscript(inner),
            Expr::Call(call) => self.call(call),
            Expr::BoolOp(inner) => {
                let values = self.all(&inner.values);
                match inner.op {
                    BoolOp::And => Expression::And(values),
                    BoolOp::Or => Expression::Or(values),
                }
            }
            Expr::UnaryOp(inner) => {
                let operand = self.expression(&inner.operand);
                match (inner.op, operand) {
                    (UnaryOp::Not, operand) => Expression::Not(Box::new(operand)),
                    (UnaryOp::USub, Expression::Integer(number)) => {
                        number.checked_neg().map_or(Expression::OPAQUE, Expression::Integer)
                    }
                    (_, operand) => self.opaque([operand]),
                }
            }
            Expr::Compare(inner) => {
                let left = self.expression(&inner.left);
                let pairs = inner.ops.iter().zip(&inner.comparators);
                let rest =
                    pairs.map(|(operator, right)| (comparison(*operator), self.expression(right)));
                Expression::Compare(Box::new((left, rest.collect())))
            }
            Expr::If(inner) => {
                let test = self.expression(&inner.test);
                let body = self.expression(&inner.body);
                Expression::Choice(Box::new((test, body, self.expression(&inner.orelse))))
            }
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => {
                let elements = self.all(elts);
                if elements.len() > MAX_ELEMENTS {
                    return self.opaque(elements);
                }
                Expression::List(elements)
            }
            Expr::Dict(inner) => {
                let items: Vec<_> = inner
                    .items
                    .iter()
                    .map(|item| {
                        let key = item.key.as_ref().map(|key| self.expression(key));
                        (key, self.expression(&item.value))
                    })
                    .collect();
                if items.len() > MAX_ELEMENTS {
                    let inner =
                        items.into_iter().flat_map(|(key, value)| key.into_iter().chain([value]));
                    return self.opaque(inner.collect::<Vec<_>>());
                }
                Expression::Dict(items)
            }
            Expr::BinOp(_) => self.binary(expression),
            Expr::FString(inner) => self.format(inner),
            Expr::Lambda(inner) => {
                let (mut function, yields) = self.parameters(inner.parameters.as_deref(), |this| {
                    vec![Statement::Return(Some(this.expression(&inner.body)))]
                });
                function.deferred = yields;
                Expression::Lambda(Arc::new(function))
            }
            Expr::ListComp(ast::ExprListComp { elt, generators, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, generators, .. })
            | Expr::Generator(ast::ExprGenerator { elt, generators, .. }) => {
                let element = self.expression(elt);
                self.comprehension(None, element, generators)
            }
            Expr::DictComp(inner) => {
                let key = inner.key.as_ref().map(|key| self.expression(key));
                let value = self.expression(&inner.value);
                self.comprehension(key, value, &inner.generators)
            }
            Expr::Named(inner) => {
                let value = self.expression(&inner.value);
                match &*inner.target {
                    Expr::Name(name) => {
                        Expression::Named(Box::new((name.id.as_str().into(), value)))
                    }
                    _ => Expression::Unknown(vec![value]),
                }
            }
            Expr::Starred(inner) => Expression::Starred(self.boxed(&inner.value)),
            Expr::Yield(inner) => {
                self.yields = true;
                let value = inner.value.as_ref().map(|value| self.expression(value));
                self.opaque(value)
            }
            Expr::YieldFrom(inner) => {
                self.yields = true;
                let value = self.expression(&inner.value);
                self.opaque([value])
            }
            Expr::Await(inner) => {
                let value = self.expression(&inner.value);
                self.opaque([value])
            }
            Expr::TString(_)
            | Expr::BytesLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Slice(_)
            | Expr::IpyEscapeCommand(_) => Expression::OPAQUE,
        }
    }

    fn subscript(&mut self, inner: &ast::ExprSubscript) -> Expression {
        let value = self.expression(&inner.value);
        let Expr::Slice(slice) = &*inner.slice else {
            let index = self.expression(&inner.slice);
            return Expression::Subscript(Box::new((value, index)));
        };
        let mut bounds = [None, None];
        for (bound, given) in bounds.iter_mut().zip([&slice.lower, &slice.upper]) {
            if let Some(given) = given {
                match self.expression(given) {
                    Expression::Integer(number) => *bound = Some(number),
                    other => return self.opaque([value, other]),
                }
            }
        }
        match &slice.step {
            Some(_) => self.opaque([value]),
            None => Expression::Slice(Box::new((value, bounds[0], bounds[1]))),
        }
    }

    fn call(&mut self, call: &ast::ExprCall) -> Expression {
        let function = self.expression(&call.func);
        let arguments = self.all(&call.arguments.args);
        let keywords = call.arguments.keywords.iter().map(|keyword| {
            let name = keyword.arg.as_ref().map(|name| name.as_str().into());
            (name, self.expression(&keyword.value))
        });
        let keywords = keywords.collect();
        let at = self.lines.at(call.range().start());
        Expression::Call(Box::new(Call { function, arguments, keywords, at }))
    }

    /// Chains of one operator lie in one another to the left, as deep as they are long.
    fn binary(&mut self, expression: &Expr) -> Expression {
        let mut rest = Vec::new();
        let mut first = expression;
        while let Expr::BinOp(inner) = first {
            rest.push((inner.op, &*inner.right));
            first = &inner.left;
        }
        let long = rest.len() > 64;
        let mut value = self.expression(first);
        let mut unfollowed = Vec::new();
        for (operator, right) in rest.into_iter().rev() {
            let right = self.expression(right);
            let operator = match operator {
                _ if long => None,
                ast::Operator::Add => Some(Operator::Add),
                ast::Operator::Mod => Some(Operator::Modulo),
                ast::Operator::BitOr => Some(Operator::Or),
                ast::Operator::RShift => Some(Operator::ShiftRight),
                ast::Operator::Pow => Some(Operator::Power),
                _ => None,
            };
            match operator {
                Some(operator) => {
                    value = Expression::Binary(operator, Box::new((value, right)));
                }
                // Gathered first and joined once, so that a long chain takes linear time.
                None if long => unfollowed.push(right),
                None => value = self.opaque([value, right]),
            }
        }
        if long { self.opaque(std::iter::once(value).chain(unfollowed)) } else { value }
    }

    fn format(&mut self, inner: &ast::ExprFString) -> Expression {
        let mut parts = Vec::new();
        for part in &inner.value {
            match part {
                FStringPart::Literal(literal) => parts.push(text(&literal.value)),
                FStringPart::FString(format) => {
                    for element in &format.elements {
                        parts.push(match element {
                            InterpolatedStringElement::Literal(literal) => text(&literal.value),
                            InterpolatedStringElement::Interpolation(inner) => {
                                let value = self.expression(&inner.expression);
                                if inner.format_spec.is_some() || !inner.conversion.is_none() {
                                    self.opaque([value])
                                } else {
                                    value
                                }
                            }
                        });
                    }
                }
            }
        }
        Expression::Format(parts)
    }

    fn comprehension(
        &mut self,
        key: Option<Expression>,
        element: Expression,
        generators: &[ast::Comprehension],
    ) -> Expression {
        let generators = generators.iter().map(|generator| {
            let target = self.target(&generator.target);
            let through = self.expression(&generator.iter);
            (target, through, self.all(&generator.ifs))
        });
        let generators = generators.collect();
        Expression::Comprehension(Box::new(Comprehension { key, element, generators }))
    }
}

fn text(text: &str) -> Expression {
    if text.len() > MAX_TEXT { Expression::OPAQUE } else { Expression::Text(Name::new(text)) }
}

fn comparison(operator: CmpOp) -> Comparison {
    match operator {
        CmpOp::Eq => Comparison::Equal,
        CmpOp::NotEq => Comparison::NotEqual,
        CmpOp::Lt => Comparison::Less,
        CmpOp::LtE => Comparison::LessOrEqual,
        CmpOp::Gt => Comparison::Greater,
        CmpOp::GtE => Comparison::GreaterOrEqual,
        CmpOp::Is => Comparison::Is,
        CmpOp::IsNot => Comparison::IsNot,
        CmpOp::In => Comparison::In,
        CmpOp::NotIn => Comparison::NotIn,
    }
}
