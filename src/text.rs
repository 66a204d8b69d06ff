//! Foreign text made harmless: for terminals, for CI logs, for file names.
//!
//! Whatever comes from the API, a playbook or a job's log passes here before a person sees it: no
//! control characters drive a terminal, no line starts a command of the CI around us.

/// Whether a character may drive a terminal or reorder what is shown.
fn is_dangerous(c: char) -> bool {
    let bidi = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let unseen = matches!(
        c,
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{2028}' | '\u{2029}'
    );
    (c.is_control() && c != '\n' && c != '\t') || bidi || unseen
}

/// What CI systems read as commands at the start of a line.
const CI_COMMANDS: [&str; 5] = ["::", "##[", "##vso[", "##teamcity[", "#["];

/// Text of several lines without escape sequences and control characters; a line that a CI system
/// would take for a command gets a zero-width-free guard (a leading `| `).
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, line) in strip_escapes(text).split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let line = last_overwrite(line);
        let visible: String = line.chars().filter(|c| !is_dangerous(*c)).collect();
        if CI_COMMANDS
            .iter()
            .any(|c| visible.trim_start().starts_with(c))
        {
            out.push_str("| ");
        }
        out.push_str(&visible);
    }
    out
}

/// One line: newlines become spaces, and at most `characters_max` characters are kept.
pub fn clean_line(text: &str, characters_max: usize) -> String {
    let flat = clean(text).replace(['\n', '\t'], " ");
    cut(flat.trim(), characters_max)
}

/// The first `characters_max` characters, with `…` when something was cut.
pub fn cut(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let mut kept: String = text
        .chars()
        .take(characters_max.saturating_sub(1))
        .collect();
    kept.push('…');
    kept
}

/// A progress bar redraws its line with carriage returns: what was drawn last counts.
fn last_overwrite(line: &str) -> &str {
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.rsplit('\r').next().unwrap_or(line)
}

/// Without ANSI escape sequences (CSI, OSC and the two-character ones).
fn strip_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => skip_control_sequence(&mut chars),
                Some(']' | 'P' | '^' | '_' | 'X') => skip_string(&mut chars),
                Some('\n') => out.push('\n'),
                Some(_) | None => {}
            },
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{9d}' | '\u{90}' => skip_string(&mut chars),
            other => out.push(other),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_control_sequence(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if ('\u{40}'..='\u{7e}').contains(&c) {
            break;
        }
    }
}

fn skip_string(chars: &mut Chars<'_>) {
    // An unterminated string must not swallow the rest of a log: it ends with its line.
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if c == '\u{7}' || c == '\u{9c}' {
            break;
        }
        if c == '\u{1b}' {
            let _ = chars.next_if_eq(&'\\');
            break;
        }
    }
}

/// A file name made from a foreign name: only letters, digits, `.`, `_` and `-`; never empty, hidden,
/// reserved or longer than `bytes_max`.
pub fn file_name(name: &str, bytes_max: usize) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            c
        } else {
            '-'
        };
        if out.len() >= bytes_max || (c == '-' && out.ends_with('-')) {
            continue;
        }
        out.push(c);
    }
    let trimmed = out.trim_matches(['.', '-']).to_owned();
    if trimmed.is_empty() {
        "unnamed".to_owned()
    } else {
        trimmed
    }
}

/// A word for a shell: quoted when it must be.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | ':');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_are_gone() {
        let hostile = "a\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}b\u{0}\u{202e}c\n50%\r100%\r\n";
        assert_eq!(clean(hostile), "aredbc\n100%\n");
    }

    #[test]
    fn ci_commands_are_guarded() {
        assert_eq!(clean("::set-output name=x::y"), "| ::set-output name=x::y");
        assert_eq!(clean("\u{200b}##[error]x"), "| ##[error]x");
    }

    #[test]
    fn an_unterminated_escape_ends_with_its_line() {
        assert_eq!(clean("a\u{1b}]0;never\nb\u{1b}[1;2"), "a\nb");
    }

    #[test]
    fn file_names_are_built_never_taken() {
        assert_eq!(file_name("../../etc/passwd", 80), "etc-passwd");
        assert_eq!(file_name("integration 1/2", 80), "integration-1-2");
        assert_eq!(file_name("..", 80), "unnamed");
        assert!(file_name(&"x".repeat(500), 80).len() <= 80);
    }
}
