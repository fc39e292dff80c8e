//! `.dev.vars`: variables and secrets for `wrangler dev`, in the format of the npm package `dotenv`, which wrangler reads
//! it with. No value is expanded, and none is ever printed.

/// What a file holds.
#[derive(Default)]
pub(super) struct DevVars {
    /// Names and values in the order of the file; of two of the same name the later one counts.
    pub(super) vars: Vec<(String, String)>,
    /// The lines, counted from 1, that are neither a variable, a comment nor blank. `dotenv` skips them silently.
    pub(super) skipped: Vec<usize>,
}

impl DevVars {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut read = Self::default();
        let mut rest = text.as_str();
        let mut line = 1;
        while !rest.is_empty() {
            let first = rest.split('\n').next().unwrap_or(rest);
            let taken = match variable(rest) {
                Some((name, value, taken)) => {
                    read.vars.push((name.to_owned(), value));
                    taken
                }
                None => {
                    if !matches!(first.trim_start().chars().next(), None | Some('#')) {
                        read.skipped.push(line);
                    }
                    first.len()
                }
            };
            let (before, after) = rest.split_at(taken);
            line += before.matches('\n').count() + 1;
            rest = after.strip_prefix('\n').unwrap_or(after);
        }
        read
    }
}

/// The line for a variable, in quotes where it needs some; `None` if no way of writing it reads as the same value.
pub(super) fn line(name: &str, value: &str) -> Option<String> {
    let ways = ["", "'", "`", "\""].map(|quote| format!("{name}={quote}{value}{quote}\n"));
    ways.into_iter().find(|line| {
        let read = DevVars::parse(line);
        read.skipped.is_empty() && matches!(read.vars.as_slice(), [(known, same)] if known == name && same == value)
    })
}

/// The variable that begins `text`: its name, its value, and how many bytes up to the end of its last line it takes.
fn variable(text: &str) -> Option<(&str, String, usize)> {
    let start = text.trim_start_matches([' ', '\t']);
    let start = start.strip_prefix("export").and_then(after_space).unwrap_or(start);
    let end = start.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '.' | '-'))?;
    let (name, after) = start.split_at(end);
    if name.is_empty() {
        return None;
    }
    let after = match after.strip_prefix(':').and_then(after_space) {
        Some(after) => after,
        None => after.trim_start_matches([' ', '\t']).strip_prefix('=')?,
    };
    let after = after.trim_start_matches([' ', '\t']);
    let (value, rest) = quoted(after).unwrap_or_else(|| {
        let line = after.split('\n').next().unwrap_or(after);
        (line.split('#').next().unwrap_or(line).trim().to_owned(), after.get(line.len()..).unwrap_or_default())
    });
    Some((name, value, text.len() - rest.len()))
}

fn after_space(text: &str) -> Option<&str> {
    text.starts_with([' ', '\t']).then(|| text.trim_start_matches([' ', '\t']))
}

/// A value in quotes, which may go over several lines, and what follows its last line. With more after the closing quote
/// than a comment it is no such value.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\'' | '`'))?;
    let inner = text.strip_prefix(quote)?;
    let mut is_escaped = false;
    let end = inner.find(|letter: char| {
        let closes = letter == quote && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        closes
    })?;
    let (value, rest) = inner.split_at(end);
    let rest = rest.strip_prefix(quote)?;
    let line = rest.split('\n').next().unwrap_or(rest);
    if !matches!(line.trim_start().chars().next(), None | Some('#')) {
        return None;
    }
    // Only double quotes know line ends in two letters; no quotes lose their backslashes.
    let value = if quote == '"' { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() };
    Some((value, rest.get(line.len()..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_that_wrangler_reads() {
        for (line, value) in [
            ("KEY=a b ", "a b"),
            ("KEY = a", "a"),
            ("export KEY=a", "a"),
            ("KEY: a", "a"),
            ("  KEY=a#comment", "a"),
            ("KEY='a#b' # comment", "a#b"),
            ("KEY=\"a\\nb\\r\"", "a\nb\r"),
            ("KEY='a\\nb'", "a\\nb"),
            ("KEY=`a\"b'c`", "a\"b'c"),
            ("KEY=\"a\nb\"", "a\nb"),
            ("KEY=\"a\\\"b\"", "a\\\"b"),
            ("KEY=\"a\"b", "\"a\"b"),
            ("KEY='a", "'a"),
            ("KEY=", ""),
            ("KEY=$HOME${X}", "$HOME${X}"),
            ("KEY=a=b==", "a=b=="),
        ] {
            let read = DevVars::parse(&format!("# first\n\n{line}\r\nLAST=x"));
            assert_eq!(read.vars[0], ("KEY".to_owned(), value.to_owned()), "{line}");
            assert_eq!(read.vars[1], ("LAST".to_owned(), "x".to_owned()), "{line}");
            assert_eq!((read.vars.len(), read.skipped.len()), (2, 0), "{line}");
        }
    }

    #[test]
    fn a_written_value_reads_as_the_same() {
        for value in ["a", "a b", "a#b", "it's", "a\nb", "'quoted'", "\"`'", "a~b==", "\\", "a\\n`'b", "$HOME"] {
            let line = line("KEY", value).unwrap();
            assert_eq!(DevVars::parse(&line).vars, [("KEY".to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(line("KEY", "'#`\"\n#"), None);
        assert_eq!(line("KEY", "a").unwrap(), "KEY=a\n");
    }

    #[test]
    fn what_is_no_variable_is_named_by_its_line() {
        let read = DevVars::parse("A=\"1\n2\"\nsecret without a name\n=x\n  # comment\nKEY:x\nB=2\n");
        assert_eq!(read.skipped, [3, 4, 6]);
        assert_eq!(read.vars.len(), 2);
    }
}
