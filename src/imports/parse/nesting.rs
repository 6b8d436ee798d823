//! How deep a file's expressions lie in one another at most, told by its tokens alone.
//!
//! Parsing takes stack for each level, and so does dropping the tree. A bound that is never too low
//! is enough: within one bracket everything since the last comma may lie in one another.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// More than texts added up in a row, less than what fills the stack.
const MAX_NESTING: usize = 20_000;

/// One bracket that is open, or the statement as a whole.
#[derive(Default)]
struct Level {
    /// Tokens since the last comma, each of which may lie in the one before.
    tokens: usize,
    /// Lambdas whose parameters are not ended by a colon yet: commas among them part nothing.
    lambdas: usize,
}

/// # Errors
/// Where the nesting may be deeper than is parsed.
pub(super) fn check(text: &str) -> Result<(), String> {
    // No level takes less than a byte, so that most files need not be looked through.
    if text.len() <= MAX_NESTING {
        return Ok(());
    }
    let mut lexer = lexer::lex(text, Mode::Module);
    // The sum over `levels`, so that it need not be added up.
    let mut depth = 0;
    let mut levels = vec![Level::default()];
    // Indentation, which the sum has to be added to.
    let mut indents = 0_usize;
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return Ok(()),
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Newline => {
                levels.truncate(1);
                reset(&mut levels, &mut depth);
                depth = 0;
            }
            TokenKind::Semi if levels.len() == 1 => reset(&mut levels, &mut depth),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                count(&mut levels, &mut depth);
                levels.push(Level::default());
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                if levels.len() > 1
                    && let Some(closed) = levels.pop()
                {
                    depth = depth.saturating_sub(closed.tokens);
                }
            }
            TokenKind::Comma => {
                if levels.last().is_some_and(|level| level.lambdas == 0) {
                    reset(&mut levels, &mut depth);
                }
            }
            TokenKind::Colon => {
                if let Some(level) = levels.last_mut() {
                    level.lambdas = level.lambdas.saturating_sub(1);
                }
            }
            TokenKind::Lambda => {
                count(&mut levels, &mut depth);
                if let Some(level) = levels.last_mut() {
                    level.lambdas += 1;
                }
            }
            // What stands between operators; each operator is counted.
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::None
            | TokenKind::True
            | TokenKind::False => {}
            _ => count(&mut levels, &mut depth),
        }
        if depth + indents > MAX_NESTING {
            return Err(super::TOO_DEEP.to_owned());
        }
    }
}

fn count(levels: &mut [Level], depth: &mut usize) {
    if let Some(level) = levels.last_mut() {
        level.tokens += 1;
        *depth += 1;
    }
}

fn reset(levels: &mut [Level], depth: &mut usize) {
    if let Some(level) = levels.last_mut() {
        *depth = depth.saturating_sub(level.tokens);
        *level = Level::default();
    }
}
